import type { WaitOptions } from '../base/deadline.ts';
import { CancelledError, InvalidStateError } from '../base/errors.ts';
import type { Acquirable, Guard } from './guard.ts';
import { acquired, guardOf, runHolding } from './guard.ts';
import type { Call } from './wait.ts';
import { checkWait, mustWait } from './wait.ts';
import type { QueuedWait } from './wait-queue.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * Mutual exclusion between tasks, first come, first served: `release` hands the lock to the task that has waited
 * longest. Not re-entrant. A cancelled or timed-out waiter leaves the queue; one that was handed the lock has it.
 * (asyncio.Lock)
 *
 * @example
 * const lock = new Lock();
 * await lock.run(async () => updateBalance());
 */
export class Lock implements Acquirable {
  #locked = false;
  readonly #waiters = new WaitQueue<true>();

  locked(): boolean {
    return this.#locked;
  }

  /** Waits until the lock is free and takes it. Throws TimeoutError, CancelledError: then it is not held. */
  acquire(options?: WaitOptions): Promise<true> {
    return this.take(options)?.promise ?? acquired;
  }

  /** @internal As `acquire`, but gives the wait there is, if any. */
  take(options: WaitOptions | undefined): QueuedWait<true> | undefined {
    if (options !== undefined) checkWait(options);
    if (this.#locked || mustWait(options)) return this.#waiters.park('a Lock', options);
    this.#locked = true;
    return undefined;
  }

  /** Takes the lock if it is free; never waits. */
  tryAcquire(): boolean {
    if (this.#locked) return false;
    this.#locked = true;
    return true;
  }

  release(): void {
    if (!this.#locked) throw new InvalidStateError('Lock is not acquired.');
    const next = this.#waiters.shift();
    if (next === undefined) this.#locked = false;
    else next.resolve(true);
  }

  /** Calls `fn` holding the lock. */
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    return runHolding(this, fn, options);
  }

  /** Takes the lock for a block: `using _ = await lock.guard();`. */
  guard(options?: WaitOptions): Promise<Guard> {
    return guardOf(this, options);
  }

  /**
   * @internal Takes the lock back, come what may, for a caller that must not go on without it. A cancellation on the way
   * is kept and returned.
   */
  async reacquire(call?: Call): Promise<CancelledError | undefined> {
    if (this.tryAcquire()) return undefined;
    let kept: CancelledError | undefined;
    const wait = this.#waiters.park('a Lock', undefined, {
      onCancel: (error) => {
        kept = error;
        return true;
      },
    });
    if (call !== undefined) wait.partOf(call);
    await wait.promise;
    return kept;
  }
}
