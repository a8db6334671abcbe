import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { checkSeconds, enterWait, within } from '../base/deadline.ts';
import { endingSignals, onAnyAbort, throwIfAnyAborted } from '../base/ending-signals.ts';
import { CancelledError, TimeoutError } from '../base/errors.ts';
import { registerAtFork } from '../os/at-fork.ts';
import type { Region } from './region.ts';
import { LOOK_AGAIN } from './region.ts';

export interface UntilOptions extends WaitOptions {
  /** Not even with the asyncio task that waits: for what has to be put right before anything else. */
  readonly uninterrupted?: boolean;
}

interface Wait {
  readonly attempt: () => unknown;
  readonly resolve: (value: unknown) => void;
  /** Frees timer and signal. */
  settle(): void;
  cancel(): void;
  settled: Promise<unknown>;
}

export interface WaitsOptions {
  /** In words, for errors: "a Lock". */
  readonly what: string;
  /** The first must succeed before the next may try; otherwise all try at each change. */
  readonly inOrder: boolean;
  /** Whether the program goes on while somebody waits (default). */
  readonly keepsAlive?: boolean;
  /** Called when an attempt has failed, with what to call when trying again may help; returns what ends that. */
  readonly watch?: (again: () => void) => () => void;
  /** Called when one gives up that may have been the one meant by a wake. */
  readonly gaveUp?: () => void;
}

/** The event loop's waits for one shared object: an attempt is made again at each change until it gives something. */
export class Waits {
  readonly #region: Pick<Region, 'listen'>;
  readonly #options: WaitsOptions;
  #waits: Wait[] = [];
  #stopListening: (() => void) | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(region: Pick<Region, 'listen'>, options: WaitsOptions) {
    this.#region = region;
    this.#options = options;
  }

  /** How many wait on this thread. */
  get size(): number {
    return this.#waits.length;
  }

  /** Settles with the first result of `attempt` that is not undefined; TimeoutError, CancelledError. */
  async until<T>(attempt: () => T | undefined, options: UntilOptions = {}): Promise<T> {
    const { timeout } = options;
    const signals = options.uninterrupted === true ? [] : endingSignals(options.signal);
    throwIfAnyAborted(signals);
    if (timeout !== undefined) checkSeconds('timeout', timeout);
    let wait: Wait | undefined;
    const result = new Promise<T>((resolve, reject) => {
      let timer: ClockTimer | undefined;
      const giveUp = (error: Error) => {
        this.#remove(wait!);
        reject(error);
      };
      const forget = onAnyAbort(signals, giveUp);
      const leave = enterWait(this.#options.what);
      wait = {
        attempt,
        cancel: () => giveUp(new CancelledError()),
        settled: Promise.resolve(),
        resolve: resolve as (value: unknown) => void,
        settle: () => {
          timer?.cancel();
          forget();
          leave();
        },
      };
      if (timeout !== undefined && timeout !== Infinity) {
        const { what } = this.#options;
        timer = realClock.setTimer(timeout, () =>
          giveUp(new TimeoutError(`waiting for ${what} timed out after ${timeout} s`, { timeout })),
        );
      }
    });
    wait!.settled = result;
    this.#add(wait!);
    return result;
  }

  /** Settles when none waits any more. */
  async idle(options?: WaitOptions): Promise<void> {
    await within(Promise.allSettled(this.#waits.map(({ settled }) => settled)), options);
  }

  /** Ends all waits with CancelledError. */
  cancelAll(): void {
    for (const wait of this.#waits.slice()) wait.cancel();
  }

  /** @internal In a forked child: they are its parent's, who goes on with them. */
  afterFork(): void {
    for (const wait of this.#waits) wait.settle();
    this.#waits = [];
    this.#stopListening?.();
    this.#stopWatching?.();
    this.#stopListening = undefined;
    this.#stopWatching = undefined;
  }

  #add(wait: Wait): void {
    this.#waits.push(wait);
    waiting.add(this);
    this.#stopListening ??= this.#listen();
    this.#look();
  }

  #listen(): () => void {
    const look = () => this.#look();
    const stop = this.#region.listen(look);
    const timer = setInterval(look, LOOK_AGAIN * 1000);
    if (this.#options.keepsAlive === false) timer.unref();
    return () => {
      clearInterval(timer);
      stop();
    };
  }

  #remove(wait: Wait): void {
    const index = this.#waits.indexOf(wait);
    if (index < 0) return;
    this.#waits.splice(index, 1);
    wait.settle();
    this.#options.gaveUp?.();
    this.#look();
  }

  #look(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    for (const wait of this.#waits.slice()) {
      const done = this.#try(wait);
      if (!done && this.#options.inOrder) break;
    }
    if (this.#waits.length > 0) this.#stopWatching = this.#options.watch?.(() => this.#look());
    else {
      this.#stopListening?.();
      this.#stopListening = undefined;
      waiting.delete(this);
    }
  }

  #try(wait: Wait): boolean {
    let result: unknown;
    try {
      result = wait.attempt();
    } catch (error) {
      result = Promise.reject(error);
    }
    if (result === undefined) return false;
    const index = this.#waits.indexOf(wait);
    if (index >= 0) this.#waits.splice(index, 1);
    wait.settle();
    wait.resolve(result);
    return true;
  }
}

// Those with somebody who waits.
const waiting = new Set<Waits>();

registerAtFork({
  afterInChild: () => {
    for (const waits of waiting) waits.afterFork();
    waiting.clear();
  },
});
