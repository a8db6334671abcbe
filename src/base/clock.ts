/** A timer of a clock; `cancel` is idempotent. An unref'ed timer does not keep the program alive. */
export interface ClockTimer {
  cancel(): void;
  unref(): this;
}

/** The only source of time, timers and randomness, so that whatever waits can run on a virtual clock. */
export interface Clock {
  /** Seconds on a monotonic scale with an arbitrary zero. */
  now(): number;
  /** Seconds since the UNIX epoch. */
  time(): number;
  /** Calls `fn` once, `delay` seconds from now (at the next turn if it is not positive). */
  setTimer(delay: number, fn: () => void): ClockTimer;
  /** A number in [0, 1). */
  random(): number;
  /** Tells a clock that moves by itself that something is going on. */
  touch?(): void;
  /** Keeps a clock that moves by itself still until `work` settles. */
  hold?<T>(work: PromiseLike<T>): Promise<T>;
  /** Tells a clock that moves by itself that somebody waits (1), or no longer (-1), for what comes from outside. */
  outside?(change: 1 | -1): void;
  /**
   * Calls `fn` whenever a clock that moves by itself has come to rest: no timer, no work held, nothing touched it.
   * Returns what takes it back.
   */
  onStall?(fn: () => void): () => void;
}

export const realClock: Clock = {
  now: () => performance.now() / 1000,
  time: () => Date.now() / 1000,
  setTimer: (delay, fn) => new RealTimer(delay, fn),
  // Looked up at each call: a forked child replaces it, or all siblings would draw alike.
  random: () => Math.random(),
};

// setTimeout holds a signed 32-bit number of milliseconds and fires at once beyond it: longer waits go in legs.
const longestLeg = 2 ** 31 - 1;

class RealTimer implements ClockTimer {
  #handle: NodeJS.Timeout | undefined;
  #unref = false;
  readonly #due: number;
  readonly #fn: () => void;

  constructor(delay: number, fn: () => void) {
    this.#due = performance.now() + Math.max(0, delay) * 1000;
    this.#fn = fn;
    this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  unref(): this {
    this.#unref = true;
    this.#handle?.unref();
    return this;
  }

  #arm(): void {
    const left = this.#due - performance.now();
    this.#handle = setTimeout(() => this.#wake(), Math.max(0, Math.min(Math.ceil(left), longestLeg)));
    if (this.#unref) this.#handle.unref();
  }

  // libuv counts from its cached time of the loop's turn, so that a timer may come up to a millisecond early.
  #wake(): void {
    if (performance.now() < this.#due) this.#arm();
    else this.#fn();
  }
}
