import type { WaitOptions } from '../base/deadline.ts';
import { Deadline } from '../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import type { Guard } from './guard.ts';
import { Lock } from './lock.ts';
import { currentKernel } from './scope.ts';
import { checkWait } from './wait.ts';
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
  async wait(options?: WaitOptions): Promise<true> {
    checkWait(options);
    if (!this.lock.locked()) throw new InvalidStateError('cannot wait on un-acquired lock');
    const wait = this.#waiters.park('a Condition', options);
    this.lock.release();
    let notified = false;
    let kept;
    try {
      await wait.promise;
      notified = true;
    } finally {
      kept = await this.lock.reacquire();
    }
    if (kept === undefined) return true;
    // The notification was for somebody who acts on it.
    if (notified) this.notify();
    throw kept;
  }

  /** Waits until `predicate` holds and gives what it gave. The timeout is for all waits together. */
  async waitFor<T>(predicate: () => T, options: WaitOptions = {}): Promise<T> {
    checkWait(options);
    const deadline = Deadline.after(options.timeout, currentKernel().clock);
    for (;;) {
      const value = predicate();
      if (value) return value;
      const timeout = options.timeout === undefined ? undefined : deadline.left;
      await this.wait({ timeout, signal: options.signal });
    }
  }

  /** Wakes `count` of those who wait, the longest first. */
  notify(count = 1): void {
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
}
