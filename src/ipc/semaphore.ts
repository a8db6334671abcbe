import type { WaitOptions } from '../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { Guard } from './guard.ts';
import { Monitor } from './monitor.ts';
import { PermitHolders, PERMIT_HOLDER_BYTES } from './permit-holders.ts';
import type { Region } from './region.ts';
import { BODY, STATE } from './region.ts';

/** Bytes of a semaphore's region. */
export const SEMAPHORE_BYTES = BODY + PERMIT_HOLDER_BYTES;

/** Options of a semaphore. */
export interface SemaphoreOptions {
  /**
   * Whether permits of a thread or process that died are given back (default true). False for a semaphore that counts
   * events, which one side releases and another acquires.
   */
  readonly reclaim?: boolean;
}

// Permits in existence; those held are subtracted.
const TOTAL = STATE + 1;
const BOUND = STATE + 2;
const RECLAIM = STATE + 3;

/** Initial state of a new semaphore. */
export interface SemaphoreStart extends SemaphoreOptions {
  readonly value: number;
  readonly bounded: boolean;
}

/** Permits in shared memory: the state machine behind the semaphores of threads and of processes. */
export abstract class SharedSemaphore {
  /** @internal */
  readonly region: Region;
  readonly #monitor: Monitor;
  readonly #holders: PermitHolders;

  protected constructor(region: Region, start?: SemaphoreStart) {
    this.region = region;
    this.#holders = new PermitHolders(region);
    this.#monitor = new Monitor(region, {
      what: 'a Semaphore',
      inOrder: true,
      watch: (again) => this.#holders.watch(again),
    });
    if (start !== undefined) this.#begin(start);
  }

  /** Permits that could be had now. */
  get value(): number {
    return this.#monitor.run(() => this.#free());
  }

  /** Takes a permit if there is one; never waits. */
  tryAcquire(): boolean {
    return this.#monitor.run(() => this.#take()) ?? false;
  }

  /** Waits on the event loop for a permit and takes it. TimeoutError, CancelledError: then none is taken. */
  async acquire(options?: WaitOptions): Promise<true> {
    return this.#monitor.wait(() => this.#take(), options);
  }

  /** As `acquire`, blocking this thread. */
  acquireSync(options?: WaitOptions): true {
    return this.#monitor.waitSync(
      () => this.#take(),
      options,
      () => this.#holders.words(),
    );
  }

  /** Gives `n` permits (back). InvalidStateError if a bounded one would then have more than it began with. */
  release(n = 1): void {
    if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('n', n, 'a whole number, 1 or more');
    this.#monitor.run(() => {
      const bound = this.region.words[BOUND]!;
      if (bound > 0 && this.#free() + n > bound) {
        throw new InvalidStateError(`released too often: the semaphore is bounded to ${bound}`);
      }
      for (let i = 0; i < n; i++) if (!this.#reclaims || !this.#holders.remove()) this.region.words[TOTAL]!++;
      this.#monitor.changed();
    });
  }

  /** A permit for a block: `using _ = await semaphore.guard();`. */
  async guard(options?: WaitOptions): Promise<Guard> {
    await this.acquire(options);
    return new Guard({ release: () => this.release() });
  }

  /** As `guard`, blocking this thread. */
  guardSync(options?: WaitOptions): Guard {
    this.acquireSync(options);
    return new Guard({ release: () => this.release() });
  }

  /** Calls `fn` holding a permit. */
  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    using held = await this.guard(options);
    void held;
    return await fn();
  }

  get #reclaims(): boolean {
    return this.region.words[RECLAIM] === 1;
  }

  #begin({ value, bounded, reclaim = true }: SemaphoreStart): void {
    if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff) {
      throw new InvalidArgumentError('value', value, 'a whole number, 0 or more');
    }
    const { words } = this.region;
    words[TOTAL] = value;
    words[BOUND] = bounded ? value : 0;
    words[RECLAIM] = reclaim ? 1 : 0;
  }

  #free(): number {
    return this.region.words[TOTAL]! - (this.#reclaims ? this.#holders.count() : 0);
  }

  #take(): true | undefined {
    if (this.#free() <= 0) return undefined;
    if (this.#reclaims) this.#holders.add();
    else this.region.words[TOTAL]!--;
    return true;
  }
}
