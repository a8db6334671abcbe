import type { WaitOptions } from '../base/deadline.ts';
import { Deadline, throwIfAborted } from '../base/deadline.ts';
import { InvalidStateError, TimeoutError } from '../base/errors.ts';
import { Guard } from './guard.ts';
import { noteLock, noteWait } from './insight.ts';
import type { Region } from './region.ts';
import { ALL, BODY, WAITERS } from './region.ts';
import type { Taken } from './robust-mutex.ts';
import { RobustMutex } from './robust-mutex.ts';
import { Waits } from './waits.ts';

const acquired: Promise<true> = Promise.resolve(true as const);
// Set by a waiter that was woken and came too late again; newcomers let it pass.
const COURTESY = 2;
const courtesySeconds = 0.005;

/** Bytes of a lock's region. */
export const LOCK_BYTES = BODY;

/** Options of a lock. */
export interface LockOptions {
  /** Under which it appears in reports of who holds and who waits. */
  readonly name?: string;
}

/** A mutex in shared memory: the state machine behind the locks of threads and of processes. */
export abstract class SharedLock {
  /** @internal */
  readonly region: Region;
  readonly name: string | undefined;
  readonly #mutex: RobustMutex;
  readonly #waits: Waits;
  readonly #courtesies: Waits;
  #recovered = false;

  protected constructor(region: Region, { name }: LockOptions = {}) {
    this.region = region;
    this.name = name;
    this.#mutex = new RobustMutex(region);
    if (name !== undefined) noteLock(this);
    this.#courtesies = new Waits(region, { what: 'a Lock', inOrder: false });
    this.#waits = new Waits(region, {
      what: 'a Lock',
      inOrder: true,
      watch: (again) => this.#watch(again),
      gaveUp: () => this.#mutex.passOn(),
    });
  }

  /** Whether anybody holds it. */
  locked(): boolean {
    return this.#mutex.owner !== 0;
  }

  /** Whether this thread holds it and its holder before died with it: what the lock protects may be half changed. */
  get recovered(): boolean {
    return this.#recovered && this.#mutex.isHeldByThisThread;
  }

  /** Takes it if it is free; never waits. */
  tryAcquire(): boolean {
    return this.#took(this.#mutex.tryTake());
  }

  /** Waits on the event loop until it is free and takes it. TimeoutError, CancelledError: then it is not held. */
  acquire(options: WaitOptions = {}): Promise<true> {
    if (options.signal?.aborted !== true && this.#waits.size === 0 && this.region.words[COURTESY] === 0) {
      if (this.tryAcquire()) return acquired;
    }
    return this.#acquire(options);
  }

  /**
   * Takes it, blocking this thread meanwhile. InvalidStateError if this thread holds it already, as it would wait for
   * itself; TimeoutError.
   */
  acquireSync(options: WaitOptions = {}): true {
    if (options.signal !== undefined) throwIfAborted(options.signal);
    if (this.region.words[COURTESY] === 0 && this.tryAcquire()) return true;
    if (this.#mutex.isHeldByThisThread) {
      throw new InvalidStateError('acquireSync would wait for ever: this thread holds the lock');
    }
    const { timeout } = options;
    const deadline = Deadline.after(timeout);
    if (this.region.words[COURTESY] !== 0) {
      this.region.wait(COURTESY, 1, Math.min(courtesySeconds, deadline.left));
      this.#endCourtesy();
    }
    const waited = noteWait(this.region);
    const taken = this.#took(this.tryAcquire() ? 'taken' : this.#block(deadline));
    waited();
    if (taken) return true;
    throw new TimeoutError(`waiting for a Lock timed out after ${timeout} s`, { timeout });
  }

  /** Frees it. InvalidStateError if this thread does not hold it. */
  release(): void {
    if (!this.#mutex.isHeldByThisThread) {
      throw new InvalidStateError(this.locked() ? 'the lock is held by another thread' : 'the lock is not held');
    }
    this.#recovered = false;
    this.#mutex.release();
  }

  /** Takes the lock for a block: `using _ = await lock.guard();`. */
  async guard(options?: WaitOptions): Promise<Guard> {
    await this.acquire(options);
    return new Guard(this);
  }

  /** As `guard`, blocking this thread. */
  guardSync(options?: WaitOptions): Guard {
    this.acquireSync(options);
    return new Guard(this);
  }

  /** Calls `fn` holding the lock. */
  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    using held = await this.guard(options);
    void held;
    return await fn();
  }

  /** Calls `fn` holding the lock, blocking this thread until it is free. */
  runSync<T>(fn: () => T, options?: WaitOptions): T {
    this.acquireSync(options);
    try {
      return fn();
    } finally {
      this.release();
    }
  }

  /** @internal Whether this thread holds it. */
  get isHeldByThisThread(): boolean {
    return this.#mutex.isHeldByThisThread;
  }

  /** @internal Thread and process that hold it. */
  get owner(): readonly [thread: number, pid: number] {
    return [this.#mutex.owner, this.#mutex.ownerPid];
  }

  async #acquire(options: WaitOptions): Promise<true> {
    throwIfAborted(options.signal);
    const deadline = Deadline.after(options.timeout);
    if (this.#waits.size === 0 && this.region.words[COURTESY] !== 0) await this.#letPass(deadline);
    const waited = noteWait(this.region);
    try {
      const left = options.timeout === undefined ? {} : { timeout: deadline.left };
      return await this.#waits.until(() => this.#attempt(), { ...options, ...left });
    } finally {
      waited();
    }
  }

  async #letPass(deadline: Deadline): Promise<void> {
    try {
      const timeout = Math.min(courtesySeconds, deadline.left);
      await this.#courtesies.until(() => this.region.words[COURTESY] === 0 || undefined, {
        timeout,
        uninterrupted: true,
      });
    } catch {
      this.#endCourtesy();
    }
  }

  #attempt(): true | undefined {
    if (this.#took(this.#mutex.tryTake(WAITERS))) return true;
    // Free again in the meantime: nobody would tell.
    return this.#mutex.announce() === 0 ? this.#attempt() : undefined;
  }

  #block(deadline: Deadline): Taken {
    const { region } = this;
    const mutex = this.#mutex;
    let late = false;
    for (;;) {
      const value = mutex.announce();
      if (value !== 0) region.wait(0, value, deadline.left);
      const taken = mutex.tryTake(WAITERS);
      if (taken === undefined && !deadline.passed) {
        Atomics.store(region.words, COURTESY, 1);
        late = true;
        continue;
      }
      if (late) this.#endCourtesy();
      if (taken === undefined) mutex.passOn();
      return taken;
    }
  }

  // Also by whoever has been patient enough: the one who asked for it may be dead.
  #endCourtesy(): void {
    if (Atomics.exchange(this.region.words, COURTESY, 0) !== 0) this.region.wake(COURTESY, ALL);
  }

  #took(how: Taken): boolean {
    if (how === undefined) return false;
    if (how === 'recovered') this.#recovered = true;
    return true;
  }

  #watch(again: () => void): () => void {
    const [thread, pid] = this.owner;
    if (thread !== 0) return this.region.watchOwner(thread, pid, again);
    // Free, or its owner has died since the attempt: of that the kernel tells blocked threads only.
    const soon = setImmediate(again);
    return () => clearImmediate(soon);
  }
}
