import { Deque } from '../../base/deque.ts';
import { Heap } from '../../base/heap.ts';
import type { Limits } from './job.ts';
import { QUEUED } from './job.ts';

interface Waiting {
  readonly state: number;
  readonly limits: Limits | undefined;
}

/** The calls that no worker has: by priority, then in the order they came; those taken back from a worker first. */
export class Backlog<J extends Waiting> {
  readonly #returned = new Deque<J>();
  readonly #plain = new Deque<J>();
  readonly #ranked = new Heap<J>((a, b) => priorityOf(b) - priorityOf(a) || a.limits!.order - b.limits!.order);
  /** Calls that still wait. Cancelled ones stay behind until they are come by. */
  size = 0;

  push(job: J): void {
    this.size++;
    if (priorityOf(job) === 0) this.#plain.push(job);
    else this.#ranked.push(job);
  }

  /** One that a worker had: it came before all that wait. */
  putBack(job: J): void {
    this.size++;
    if (priorityOf(job) === 0) this.#returned.unshift(job);
    else this.#ranked.push(job);
  }

  /** The next one, left in its place. */
  peek(): J | undefined {
    return this.#source()?.peek();
  }

  take(): J | undefined {
    const source = this.#source();
    if (source === undefined) return undefined;
    this.size--;
    return source === this.#ranked ? this.#ranked.pop() : (source as Deque<J>).shift();
  }

  /** Takes all. */
  *drain(): Generator<J> {
    for (let job = this.take(); job !== undefined; job = this.take()) yield job;
  }

  #source(): Deque<J> | Heap<J> | undefined {
    if (this.size === 0) return this.#clear();
    if (this.#ranked.size > 0) {
      while (this.#ranked.peek()?.state !== QUEUED && this.#ranked.size > 0) this.#ranked.pop();
      const first = this.#ranked.peek();
      if (first !== undefined && (priorityOf(first) > 0 || (!live(this.#returned) && !live(this.#plain))))
        return this.#ranked;
    }
    if (live(this.#returned)) return this.#returned;
    return live(this.#plain) ? this.#plain : undefined;
  }

  #clear(): undefined {
    if (this.#returned.size > 0) this.#returned.clear();
    if (this.#plain.size > 0) this.#plain.clear();
    while (this.#ranked.size > 0) this.#ranked.pop();
  }
}

function live(queue: Deque<Waiting>): boolean {
  while (queue.size > 0 && queue.peek()!.state !== QUEUED) queue.shift();
  return queue.size > 0;
}

export function priorityOf(job: Waiting): number {
  return job.limits === undefined ? 0 : job.limits.priority;
}
