import type { WaitOptions } from '../../base/deadline.ts';
import { cancelledBy, Deadline } from '../../base/deadline.ts';
import type { Deferred } from '../../base/deferred.ts';
import { deferred } from '../../base/deferred.ts';
import { withinBounds } from '../../base/ending-signals.ts';

/** Those who wait for room in a queue, first come first served. */
export class Rooms {
  readonly #full: () => boolean;
  readonly #waiters = new Set<Deferred<void>>();
  #ended: (() => Error) | undefined;

  constructor(full: () => boolean) {
    this.#full = full;
  }

  async wait({ timeout, signal }: WaitOptions = {}): Promise<void> {
    const deadline = Deadline.after(timeout);
    if (signal?.aborted === true) throw cancelledBy(signal);
    // Somebody who did not wait may take the place first.
    while (this.#ended !== undefined || this.#full()) {
      if (this.#ended !== undefined) throw this.#ended();
      const left = timeout === undefined ? undefined : deadline.left;
      await this.#turnWithin({ timeout: left, signal });
    }
  }

  /** Settles when there may be room, or will be none: without bounds, and whatever task runs. */
  async turn(): Promise<void> {
    const waiter = deferred();
    this.#waiters.add(waiter);
    await waiter.promise.catch(() => {});
  }

  /** There may be room. */
  pass(): void {
    const [first] = this.#waiters;
    if (first === undefined || this.#full()) return;
    this.#waiters.delete(first);
    first.resolve();
    // Whoever has got it may not want it any more.
    if (this.#waiters.size > 0) setImmediate(() => this.pass());
  }

  /** There will be none. */
  end(error: () => Error): void {
    this.#ended = error;
    for (const { reject } of this.#waiters) reject(error());
    this.#waiters.clear();
  }

  async #turnWithin(options: WaitOptions): Promise<void> {
    const waiter = deferred();
    this.#waiters.add(waiter);
    try {
      await withinBounds(waiter.promise, options, 'room in the queue of a pool');
    } finally {
      this.#waiters.delete(waiter);
    }
  }
}
