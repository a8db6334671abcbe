import type { WaitOptions } from '../base/deadline.ts';
import { checkSeconds, Deadline, throwIfAborted } from '../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError, TimeoutError } from '../base/errors.ts';
import type { SharedLock } from './lock.ts';
import type { Region } from './region.ts';
import { ALL, BODY, LOOK_AGAIN, SEQUENCE, STATE } from './region.ts';
import { SharedRLock } from './rlock.ts';
import type { UntilOptions } from './waits.ts';
import { Waits } from './waits.ts';

export const CONDITION_BYTES = BODY;
const TICKETS = STATE + 1;
/** Only waiters that came before the last notification may take a permit: nobody who comes later steals it. */
const LIMIT = STATE + 2;
const PERMITS = STATE + 3;
const WAITING = STATE + 4;

/**
 * Waiting for a change of what a lock protects. All of its state is changed under that lock. A waiter that was killed
 * leaves at worst one wake too many for those who waited with it: use `waitFor`.
 */
export abstract class SharedCondition {
  /** @internal */
  readonly region: Region;
  /** The lock it belongs to. */
  readonly lock: SharedLock;
  readonly #waits: Waits;

  protected constructor(region: Region, lock: SharedLock) {
    this.region = region;
    this.lock = lock;
    this.#waits = new Waits(region, { what: 'a Condition', inOrder: false });
  }

  acquire(options?: WaitOptions): Promise<true> {
    return this.lock.acquire(options);
  }

  acquireSync(options?: WaitOptions): true {
    return this.lock.acquireSync(options);
  }

  release(): void {
    this.lock.release();
  }

  /**
   * Frees the lock, waits on the event loop to be notified, and takes the lock again, which it holds in any case when it
   * settles. TimeoutError, CancelledError; InvalidStateError if the lock is not held.
   */
  async wait(options: WaitOptions = {}): Promise<true> {
    const { timeout, signal } = options;
    throwIfAborted(signal);
    if (timeout !== undefined) checkSeconds('timeout', timeout);
    const deadline = Deadline.after(timeout);
    const ticket = this.#enter();
    for (;;) {
      const depth = this.#unlock();
      let failure: unknown;
      try {
        const left = timeout === undefined ? {} : { timeout: deadline.left };
        await this.#waits.until(() => this.#mayTake(ticket) || undefined, { ...options, ...left });
      } catch (error) {
        failure = error;
      }
      await this.lock.acquire(uninterrupted);
      this.#relocked(depth);
      if (this.#take(ticket)) return true;
      if (failure === undefined) continue;
      this.#leave();
      throw failure;
    }
  }

  /** As `wait`, blocking this thread. */
  waitSync({ timeout }: { timeout?: number } = {}): true {
    const deadline = Deadline.after(timeout);
    const ticket = this.#enter();
    for (;;) {
      const sequence = Atomics.load(this.region.words, SEQUENCE);
      const depth = this.#unlock();
      this.region.wait(SEQUENCE, sequence, Math.min(deadline.left, LOOK_AGAIN));
      this.lock.acquireSync();
      this.#relocked(depth);
      if (this.#take(ticket)) return true;
      if (!deadline.passed) continue;
      this.#leave();
      throw new TimeoutError(`waiting for a Condition timed out after ${timeout} s`, { timeout });
    }
  }

  /** Waits until the predicate, called with the lock held, gives something true; returns it. */
  async waitFor<T>(predicate: () => T, options: WaitOptions = {}): Promise<T> {
    const deadline = Deadline.after(options.timeout);
    for (;;) {
      const result = predicate();
      if (result) return result;
      const left = options.timeout === undefined ? {} : { timeout: deadline.left };
      await this.wait({ ...options, ...left });
    }
  }

  /** As `waitFor`, blocking this thread. */
  waitForSync<T>(predicate: () => T, { timeout }: { timeout?: number } = {}): T {
    const deadline = Deadline.after(timeout);
    for (;;) {
      const result = predicate();
      if (result) return result;
      this.waitSync(timeout === undefined ? {} : { timeout: deadline.left });
    }
  }

  /** Wakes up to `n` of those who wait now. InvalidStateError if the lock is not held. */
  notify(n = 1): void {
    if (!Number.isInteger(n) || n < 0) throw new InvalidArgumentError('n', n, 'a whole number, 0 or more');
    this.#checkHeld();
    const { words } = this.region;
    words[PERMITS] = Math.min(words[PERMITS]! + n, words[WAITING]!);
    words[LIMIT] = words[TICKETS]!;
    Atomics.add(words, SEQUENCE, 1);
    this.region.wake(SEQUENCE, ALL);
  }

  /** Wakes all who wait now. */
  notifyAll(): void {
    this.notify(0x7fffffff);
  }

  #checkHeld(): void {
    if (!this.lock.isHeldByThisThread) throw new InvalidStateError("the condition's lock is not held");
  }

  #enter(): number {
    this.#checkHeld();
    const { words } = this.region;
    words[WAITING]!++;
    const ticket = words[TICKETS]!;
    words[TICKETS] = ticket + 1;
    return ticket;
  }

  #mayTake(ticket: number): boolean {
    const { words } = this.region;
    // The difference, as the counters wrap around.
    return Atomics.load(words, PERMITS) > 0 && ((Atomics.load(words, LIMIT) - ticket) | 0) > 0;
  }

  #take(ticket: number): boolean {
    if (!this.#mayTake(ticket)) return false;
    this.region.words[PERMITS]!--;
    this.#leave();
    return true;
  }

  #leave(): void {
    const { words } = this.region;
    words[WAITING] = Math.max(0, words[WAITING]! - 1);
    words[PERMITS] = Math.min(words[PERMITS]!, words[WAITING]);
  }

  #unlock(): number {
    if (this.lock instanceof SharedRLock) return this.lock.releaseAll();
    this.lock.release();
    return 1;
  }

  #relocked(depth: number): void {
    if (this.lock instanceof SharedRLock) this.lock.restore(depth);
  }
}

// It is held in any case when a wait is over.
const uninterrupted: UntilOptions = { uninterrupted: true };
