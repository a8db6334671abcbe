import { Heap } from '../../../base/heap.ts';

/** A message as the memory broker keeps it. */
export interface MemoryMessage {
  /** The order of publication over all queues, kept when the message is given back to the front: its place stays its own. */
  readonly sequence: number;
  readonly queue: string;
  readonly priority: number;
  readonly text: string;
  /** Claims that ended in no settling call. */
  deliveries: number;
  redelivered: boolean;
}

/** What waits in one queue: the ready, most urgent and oldest first, and the delayed. */
export class MemoryQueue {
  #ready = new Heap(byUrgency);
  #delayed = new Heap<{ message: MemoryMessage; due: number }>((a, b) => a.due - b.due);
  claimed = 0;

  get waiting(): number {
    return this.#ready.size;
  }

  get delayed(): number {
    return this.#delayed.size;
  }

  /** When the first of the delayed messages falls due. */
  get nextDue(): number | undefined {
    return this.#delayed.peek()?.due;
  }

  add(message: MemoryMessage): void {
    this.#ready.push(message);
  }

  addDelayed(message: MemoryMessage, due: number): void {
    this.#delayed.push({ message, due });
  }

  peek(): MemoryMessage | undefined {
    return this.#ready.peek();
  }

  take(): MemoryMessage | undefined {
    return this.#ready.pop();
  }

  /** Makes ready what is due. */
  promote(time: number): void {
    for (let next = this.#delayed.peek(); next !== undefined && next.due <= time; next = this.#delayed.peek()) {
      this.#ready.push(next.message);
      this.#delayed.pop();
    }
  }

  clear(): number {
    const count = this.waiting + this.delayed;
    this.#ready = new Heap(byUrgency);
    this.#delayed = new Heap((a, b) => a.due - b.due);
    return count;
  }
}

export function byUrgency(a: MemoryMessage, b: MemoryMessage): number {
  return b.priority - a.priority || a.sequence - b.sequence;
}
