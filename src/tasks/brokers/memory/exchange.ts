import type { Clock, ClockTimer } from '../../../base/clock.ts';
import type { QuarantinedMessage, QueueSize } from '../../broker.ts';
import type { EncodedMessage } from '../../outgoing.ts';
import type { MemoryMessage } from './queue.ts';
import type { MemoryBindings } from './fanout.ts';
import { byUrgency, MemoryQueue } from './queue.ts';

/** A call of `receive` that waits; `take` claims what it wants and is called at most once. */
export interface Waiter {
  readonly queues: readonly string[];
  readonly max: number;
  take(messages: MemoryMessage[]): void;
}

/** The queues of one `memory://` name, shared by all its brokers in this thread. */
export class MemoryExchange {
  readonly clock: Clock;
  readonly bindings: MemoryBindings = new Set();
  readonly #queues = new Map<string, MemoryQueue>();
  readonly #quarantine: QuarantinedMessage[] = [];
  readonly #waiters = new Map<string, Set<Waiter>>();
  #sequence = 0;
  #timer: ClockTimer | undefined;
  #timerDue = Infinity;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  publish(messages: readonly EncodedMessage[]): void {
    for (const { queue, text, priority, due } of messages) {
      this.put({ sequence: this.#sequence++, queue, priority, text, deliveries: 0, redelivered: false }, due);
    }
    this.dispatch(new Set(messages.map((message) => message.queue)));
  }

  /** The message behind all that were published before. */
  renewed(message: MemoryMessage): MemoryMessage {
    return { ...message, sequence: this.#sequence++ };
  }

  /** Puts a message into its queue without waking anybody. */
  put(message: MemoryMessage, due: number | undefined): void {
    const queue = this.#queue(message.queue);
    if (due === undefined || due <= this.clock.time()) queue.add(message);
    else {
      queue.addDelayed(message, due);
      this.#schedule(due);
    }
  }

  /** Takes up to `max` ready messages of several queues, the most urgent first, the oldest among equals. */
  take(names: readonly string[], max: number): MemoryMessage[] {
    const queues = names.map((name) => this.#queues.get(name)).filter((queue) => queue !== undefined);
    const taken: MemoryMessage[] = [];
    while (taken.length < max) {
      let best: MemoryQueue | undefined;
      for (const queue of queues) {
        const head = queue.peek();
        if (head !== undefined && (best === undefined || byUrgency(head, best.peek()!) < 0)) best = queue;
      }
      if (best === undefined) break;
      taken.push(best.take()!);
      best.claimed++;
    }
    return taken;
  }

  unclaim(message: MemoryMessage): void {
    this.#queue(message.queue).claimed--;
  }

  wait(waiter: Waiter): void {
    for (const name of waiter.queues) {
      let waiters = this.#waiters.get(name);
      if (waiters === undefined) this.#waiters.set(name, (waiters = new Set()));
      waiters.add(waiter);
    }
  }

  stopWaiting(waiter: Waiter): void {
    for (const name of waiter.queues) {
      const waiters = this.#waiters.get(name);
      waiters?.delete(waiter);
      if (waiters?.size === 0) this.#waiters.delete(name);
    }
  }

  /** Serves those who wait for the named queues, the longest waiting first. */
  dispatch(names: Iterable<string>): void {
    for (const name of names) {
      for (const waiter of this.#waiters.get(name) ?? []) {
        if (this.#queues.get(name)?.peek() === undefined) break;
        this.stopWaiting(waiter);
        waiter.take(this.take(waiter.queues, waiter.max));
      }
    }
  }

  quarantine(entry: QuarantinedMessage): void {
    this.#quarantine.push(entry);
  }

  quarantined(limit: number): QuarantinedMessage[] {
    return this.#quarantine.slice(-limit).reverse();
  }

  purge(name: string): number {
    return this.#queues.get(name)?.clear() ?? 0;
  }

  sizes(names: readonly string[] = [...this.#queues.keys()]): QueueSize[] {
    return names.map((name) => {
      const queue = this.#queues.get(name);
      return {
        queue: name,
        waiting: queue?.waiting ?? 0,
        delayed: queue?.delayed ?? 0,
        claimed: queue?.claimed ?? 0,
      };
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #queue(name: string): MemoryQueue {
    let queue = this.#queues.get(name);
    if (queue === undefined) this.#queues.set(name, (queue = new MemoryQueue()));
    return queue;
  }

  // One timer for the earliest message. It does not keep the program alive: a waiting receive does that itself.
  #schedule(due: number): void {
    if (due >= this.#timerDue) return;
    this.#timer?.cancel();
    this.#timerDue = due;
    this.#timer = this.clock.setTimer(due - this.clock.time(), () => this.#fallDue()).unref();
  }

  #fallDue(): void {
    this.#timerDue = Infinity;
    let next = Infinity;
    for (const queue of this.#queues.values()) {
      queue.promote(this.clock.time());
      next = Math.min(next, queue.nextDue ?? Infinity);
    }
    if (next < Infinity) this.#schedule(next);
    this.dispatch(this.#queues.keys());
  }
}
