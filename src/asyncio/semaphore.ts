import type { WaitOptions } from '../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import type { Acquirable, Guard } from './guard.ts';
import { acquired, guardOf, runHolding } from './guard.ts';
import { checkWait, mustWait } from './wait.ts';
import type { QueuedWait } from './wait-queue.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * A number of permits, first come, first served: `release` hands the permit to the task that has waited longest. A
 * cancelled or timed-out waiter leaves the queue; one that was handed a permit has it. (asyncio.Semaphore)
 *
 * @example
 * const slots = new Semaphore(10);
 * await gather(urls.map((url) => () => slots.run(() => fetch(url))));
 */
export class Semaphore implements Acquirable {
  #value: number;
  readonly #waiters = new WaitQueue<true>();

  constructor(value = 1) {
    if (!Number.isInteger(value) || value < 0) {
      throw new InvalidArgumentError('value', value, 'a whole number: Semaphore initial value must be >= 0');
    }
    this.#value = value;
  }

  /** Permits to be had without waiting. */
  get value(): number {
    return this.#value;
  }

  locked(): boolean {
    return this.#value === 0;
  }

  /** Waits for a permit and takes it. Throws TimeoutError, CancelledError: then it holds none. */
  acquire(options?: WaitOptions): Promise<true> {
    return this.take(options)?.promise ?? acquired;
  }

  /** @internal As `acquire`, but gives the wait there is, if any. */
  take(options: WaitOptions | undefined): QueuedWait<true> | undefined {
    if (options !== undefined) checkWait(options);
    if (this.#value === 0 || mustWait(options)) return this.#waiters.park('a Semaphore', options);
    this.#value--;
    return undefined;
  }

  /** Takes a permit if there is one; never waits. */
  tryAcquire(): boolean {
    if (this.#value === 0) return false;
    this.#value--;
    return true;
  }

  release(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#value++;
    else next.resolve(true);
  }

  /** Calls `fn` holding a permit. */
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    return runHolding(this, fn, options);
  }

  /** Takes a permit for a block: `using _ = await semaphore.guard();`. */
  guard(options?: WaitOptions): Promise<Guard> {
    return guardOf(this, options);
  }
}

/** A semaphore that refuses more releases than there were acquisitions. (asyncio.BoundedSemaphore) */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number;

  constructor(value = 1) {
    super(value);
    this.#bound = value;
  }

  override release(): void {
    if (this.value >= this.#bound) throw new InvalidStateError('BoundedSemaphore released too many times');
    super.release();
  }
}
