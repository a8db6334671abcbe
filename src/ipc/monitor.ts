import type { WaitOptions } from '../base/deadline.ts';
import { Deadline, throwIfAborted } from '../base/deadline.ts';
import { TimeoutError } from '../base/errors.ts';
import type { Region, WordValue } from './region.ts';
import { ALL, LOOK_AGAIN, SEQUENCE } from './region.ts';
import { RobustMutex } from './robust-mutex.ts';
import { Waits } from './waits.ts';
import type { WaitsOptions } from './waits.ts';

export interface MonitorOptions extends WaitsOptions {
  /** Called within, when whoever was inside before has died there: makes the state whole again. */
  readonly repair?: () => void;
}

/**
 * Shared state that is changed by one thread at a time, for the instant of a function call, and waited for. The inside
 * is never held while anything waits, so that an event loop may enter it too.
 */
export class Monitor {
  readonly region: Region;
  readonly #mutex: RobustMutex;
  readonly #options: MonitorOptions;
  readonly #waits: Waits;

  constructor(region: Region, options: MonitorOptions) {
    this.region = region;
    this.#mutex = new RobustMutex(region);
    this.#options = options;
    this.#waits = new Waits(region, options);
  }

  /** Runs `fn` alone among all threads and processes. Short: it blocks whoever else wants in. */
  run<T>(fn: () => T): T {
    if (this.#mutex.take() === 'recovered') {
      this.#options.repair?.();
      this.changed(); // its wake may not have been sent
    }
    try {
      return fn();
    } finally {
      this.#mutex.release();
    }
  }

  /** Tells all who wait to look again. */
  changed(): void {
    Atomics.add(this.region.words, SEQUENCE, 1);
    this.region.wake(SEQUENCE, ALL);
  }

  /** Waits until `attempt`, run inside, gives something. */
  async wait<T>(attempt: () => T | undefined, options?: WaitOptions): Promise<T> {
    return this.#waits.until(() => this.run(attempt), options);
  }

  /** As `wait`, blocking this thread; `also` are further words whose change is worth a look. */
  waitSync<T>(
    attempt: () => T | undefined,
    { timeout, signal }: WaitOptions = {},
    also: () => readonly WordValue[] = none,
  ): T {
    throwIfAborted(signal);
    const deadline = Deadline.after(timeout);
    for (;;) {
      let words: readonly WordValue[] = [];
      let sequence = 0;
      const result = this.run(() => {
        sequence = Atomics.load(this.region.words, SEQUENCE);
        words = also();
        return attempt();
      });
      if (result !== undefined) return result;
      if (deadline.passed) {
        throw new TimeoutError(`waiting for ${this.#options.what} timed out after ${timeout} s`, { timeout });
      }
      this.region.wait(SEQUENCE, sequence, Math.min(deadline.left, LOOK_AGAIN), words);
    }
  }
}

const none = () => [];
