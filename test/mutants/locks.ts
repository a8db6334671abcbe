// Locks with a planted bug each, of the kinds that real ones have had. An explorer that lets one of them pass is
// broken.
import { Wait } from '../../src/asyncio/wait.ts';
import { WaitQueue } from '../../src/asyncio/wait-queue.ts';
import type { WaitOptions } from '../../src/base/deadline.ts';
import { Condition, currentTask, Lock, Semaphore } from '../../src/entry/asyncio.ts';

/** Lost wake-up: a waiter that gave up keeps its place, and the lock is handed to it. */
export class LostWakeupLock {
  #locked = false;
  readonly #waiters: Wait<true>[] = [];

  locked(): boolean {
    return this.#locked;
  }

  async acquire(options?: WaitOptions): Promise<true> {
    if (this.#locked) {
      const wait = new Wait<true>('a Lock', options);
      this.#waiters.push(wait);
      return wait.promise;
    }
    this.#locked = true;
    return true;
  }

  release(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#locked = false;
    else next.resolve(true);
  }
}

/** Barging: the lock is free between release and the waiter's turn, and whoever comes then is faster. */
export class BargingLock {
  #locked = false;
  readonly #waiters = new WaitQueue<true>();

  locked(): boolean {
    return this.#locked;
  }

  async acquire(options?: WaitOptions): Promise<true> {
    while (this.#locked) await this.#waiters.park('a Lock', options).promise;
    this.#locked = true;
    return true;
  }

  release(): void {
    this.#locked = false;
    this.#waiters.shift()?.resolve(true);
  }
}

/** Last in, first out. */
export class UnfairLock {
  #locked = false;
  readonly #waiters = new Set<Wait<true>>();

  locked(): boolean {
    return this.#locked;
  }

  async acquire(options?: WaitOptions): Promise<true> {
    if (this.#locked) {
      const wait = new Wait<true>('a Lock', options, { abandon: (self) => this.#waiters.delete(self) });
      if (!wait.settled) this.#waiters.add(wait);
      return wait.promise;
    }
    this.#locked = true;
    return true;
  }

  release(): void {
    const last = [...this.#waiters].at(-1);
    if (last === undefined) this.#locked = false;
    else {
      this.#waiters.delete(last);
      last.resolve(true);
    }
  }
}

/** Double hand-over: the permit goes to the waiter and back to the heap as well. */
export class DoubleHandOverSemaphore {
  #value: number;
  readonly #waiters = new WaitQueue<true>();

  constructor(value: number) {
    this.#value = value;
  }

  locked(): boolean {
    return this.#value === 0;
  }

  async acquire(options?: WaitOptions): Promise<true> {
    if (this.#value === 0) return this.#waiters.park('a Semaphore', options).promise;
    this.#value--;
    return true;
  }

  release(): void {
    this.#value++;
    this.#waiters.shift()?.resolve(true);
  }
}

/** Lost permit: a waiter that is cancelled at the moment it is served throws, and does not pass the permit on. */
export class LostPermitSemaphore extends Semaphore {
  override async acquire(options?: WaitOptions): Promise<true> {
    const before = currentTask()!.cancelling();
    await super.acquire(options);
    if (currentTask()!.cancelling() > before) throw currentTask()!.signal.reason;
    return true;
  }
}

/** Lost wake-up: a woken waiter looks at the flag again, which may be cleared by then. */
export class RecheckingEvent {
  #set = false;
  readonly #waiters = new WaitQueue<true>();

  set(): void {
    this.#set = true;
    for (let next = this.#waiters.shift(); next !== undefined; next = this.#waiters.shift()) next.resolve(true);
  }

  clear(): void {
    this.#set = false;
  }

  async wait(options?: WaitOptions): Promise<true> {
    while (!this.#set) await this.#waiters.park('an Event', options).promise;
    return true;
  }
}

/** Lost wake-up: a notified waiter that is cancelled before it has the lock swallows the notification. */
export class SwallowingCondition {
  readonly lock = new Lock();
  readonly #waiters = new WaitQueue<void>();

  acquire(): Promise<true> {
    return this.lock.acquire();
  }

  release(): void {
    this.lock.release();
  }

  async wait(options?: WaitOptions): Promise<true> {
    const wait = this.#waiters.park('a Condition', options);
    this.lock.release();
    let kept;
    try {
      await wait.promise;
    } finally {
      kept = await this.lock.reacquire();
    }
    if (kept !== undefined) throw kept;
    return true;
  }

  notify(): void {
    this.#waiters.shift()?.resolve();
  }
}

/** Broken exclusion: a wait that ends by cancellation comes back without the lock. */
export class LocklessCondition extends Condition {
  override async wait(options?: WaitOptions): Promise<true> {
    try {
      return await super.wait(options);
    } catch (error) {
      this.release();
      throw error;
    }
  }
}
