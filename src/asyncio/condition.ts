import { isThenable } from '../base/thenable.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import type { Guard } from './guard.ts';
import { Lock } from './lock.ts';
import type { BoundedOptions, Call } from './wait.ts';
import { checkWait, inCall, shareTimeout } from './wait.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * A lock together with a queue of those who wait for a change of what it guards. `wait` always returns, or throws,
 * holding the lock; a notification that meets a waiter being cancelled goes on to the next. (asyncio.Condition)
 *
 * @example
 * await condition.run(async () => { await condition.waitFor(() => stock > 0); stock--; });
 */
export class Condition {
  readonly lock: Lock;
  readonly #waiters = new WaitQueue<void>();

  constructor(lock: Lock = new Lock()) {
    if (!(lock instanceof Lock)) throw new InvalidArgumentError('lock', lock, 'a Lock of simul/asyncio');
    this.lock = lock;
  }

  locked(): boolean {
    return this.lock.locked();
  }

  acquire(options?: WaitOptions): Promise<true> {
    return this.lock.acquire(options);
  }

  release(): void {
    this.lock.release();
  }

  /** Calls `fn` holding the lock. */
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    return this.lock.run(fn, options);
  }

  /** Takes the lock for a block: `using _ = await condition.guard();`. */
  guard(options?: WaitOptions): Promise<Guard> {
    return this.lock.guard(options);
  }

  /** Releases the lock, waits for a notification, takes the lock back. Throws TimeoutError, CancelledError. */
  wait(options?: WaitOptions): Promise<true> {
    checkWait(options);
    return inCall((call) => this.#wait(options, call));
  }

  /**
   * Waits until `predicate` holds and gives what it gave. The timeout is for all waits together. Throws
   * InvalidArgumentError for a predicate that gives a promise: what it saw may have changed when that is there.
   */
  waitFor<T>(predicate: () => T, options?: WaitOptions): Promise<T> {
    if (typeof predicate !== 'function') throw new InvalidArgumentError('predicate', predicate, 'a function');
    const shared = shareTimeout(options);
    return inCall(async (call) => {
      for (;;) {
        const value = predicate();
        if (isThenable(value)) throw notAtOnce(value);
        if (value) return value;
        await this.#wait(shared, call);
      }
    });
  }

  /** Wakes `count` of those who wait, the longest first. */
  notify(count = 1): void {
    if (count !== Infinity && (!Number.isInteger(count) || count < 0)) {
      throw new InvalidArgumentError('count', count, 'a whole number, 0 or more');
    }
    if (!this.lock.locked()) throw new InvalidStateError('cannot notify on un-acquired lock');
    for (let i = 0; i < count; i++) {
      const next = this.#waiters.shift();
      if (next === undefined) return;
      next.resolve();
    }
  }

  notifyAll(): void {
    this.notify(this.#waiters.size);
  }

  async #wait(options: BoundedOptions | undefined, call: Call): Promise<true> {
    if (!this.lock.locked()) throw new InvalidStateError('cannot wait on un-acquired lock');
    const wait = this.#waiters.park('a Condition', options).partOf(call);
    this.lock.release();
    let notified = false;
    let failed: { readonly error: unknown } | undefined;
    try {
      await wait.promise;
      notified = true;
    } catch (error) {
      failed = { error };
    }
    const kept = await this.lock.reacquire(call);
    if (kept === undefined) {
      if (failed !== undefined) throw failed.error;
      return true;
    }
    // The notification was for somebody who acts on it.
    if (notified) this.notify();
    throw kept;
  }
}

function notAtOnce(value: PromiseLike<unknown>): InvalidArgumentError {
  value.then(undefined, () => {});
  return new InvalidArgumentError('predicate', value, 'a function that answers at once, without a promise');
}
