import type { WaitOptions } from '../base/deadline.ts';
import { CancelledError, InvalidStateError } from '../base/errors.ts';
import { acquired, Guard, holding } from './guard.ts';
import { checkWait } from './wait.ts';
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
export class Lock {
  #locked = false;
  readonly #waiters = new WaitQueue<true>();

  locked(): boolean {
    return this.#locked;
  }

  /** Waits until the lock is free and takes it. Throws TimeoutError, CancelledError: then it is not held. */
  acquire(options?: WaitOptions): Promise<true> {
    if (options !== undefined) checkWait(options);
    if (this.#locked || options?.signal?.aborted === true) return this.#waiters.park('a Lock', options).promise;
    this.#locked = true;
    return acquired;
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
    const wait = this.acquire(options);
    return wait === acquired ? holding(this, fn) : wait.then(() => holding(this, fn));
  }

  /** Takes the lock for a block: `using _ = await lock.guard();`. */
  async guard(options?: WaitOptions): Promise<Guard> {
    await this.acquire(options);
    return new Guard(this);
  }

  /**
   * @internal Takes the lock back, come what may, for a caller that must not go on without it. A cancellation on the way
   * is kept and returned.
   */
  async reacquire(): Promise<CancelledError | undefined> {
    if (this.tryAcquire()) return undefined;
    let kept: CancelledError | undefined;
    const wait = this.#waiters.park('a Lock', undefined, {
      onCancel: (error) => {
        kept = error;
        return true;
      },
    });
    await wait.promise;
    return kept;
  }
}
