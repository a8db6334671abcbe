import type { Clock, ClockTimer } from './clock.ts';
import { checkSeconds } from './deadline.ts';
import { Heap } from './heap.ts';

export interface VirtualClockOptions {
  /** Jump to the next timer by itself whenever nothing else is going on. */
  readonly autoJump?: boolean;
  /** Where the clock starts, in seconds since the UNIX epoch (default 2000-01-01). */
  readonly epoch?: number;
  readonly seed?: number;
}

/**
 * A clock whose time moves only when told: by `advance`, or, with `autoJump`, to the next timer whenever every promise
 * has settled and no outside work is held. Twelve hours then take as long as the code that runs in them.
 *
 * @example
 * const clock = new VirtualClock({ autoJump: true });
 * await new Promise<void>((done) => clock.setTimer(43_200, done)); // at once
 */
export class VirtualClock implements Clock {
  readonly #epoch: number;
  readonly #autoJump: boolean;
  readonly #timers = new Heap<VirtualTimer>((a, b) => a.due - b.due);
  readonly #random: () => number;
  #now = 0;
  #held = 0;
  #idleTurns = 0;
  #watch: NodeJS.Immediate | undefined;

  constructor(options: VirtualClockOptions = {}) {
    this.#epoch = options.epoch ?? 946_684_800;
    this.#autoJump = options.autoJump ?? false;
    this.#random = seeded(options.seed ?? 1);
  }

  now(): number {
    return this.#now;
  }

  time(): number {
    return this.#epoch + this.#now;
  }

  random(): number {
    return this.#random();
  }

  setTimer(delay: number, fn: () => void): ClockTimer {
    const timer = new VirtualTimer(this.#now + Math.max(0, delay), fn, () => this.#timers.remove(timer));
    this.#timers.push(timer);
    this.#wake();
    return timer;
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward, firing what falls due in order; each callback sees its own due time. */
  advance(seconds: number): void {
    const until = this.#now + checkSeconds('seconds', seconds);
    for (let next = this.#timers.peek(); next !== undefined && next.due <= until; next = this.#timers.peek()) {
      this.#fire();
    }
    this.#now = until;
  }

  /** Moves to the next timer and fires it; false if there is none. */
  jump(): boolean {
    if (this.#timers.size === 0) return false;
    this.#fire();
    return true;
  }

  /** Keeps time still while real work (a thread, a process, a socket) is under way. */
  async hold<T>(work: PromiseLike<T>): Promise<T> {
    this.#held++;
    try {
      return await work;
    } finally {
      this.#held--;
      this.#wake();
    }
  }

  #fire(): void {
    const timer = this.#timers.pop()!;
    this.#now = Math.max(this.#now, timer.due);
    timer.fn();
  }

  #wake(): void {
    this.#idleTurns = 0;
    if (this.#autoJump && this.#watch === undefined) this.#watch = setImmediate(() => this.#turn());
  }

  // Microtasks and next ticks are done when an immediate runs. Two turns without a new timer or hold also let through
  // what one more setImmediate of the code under test had put off.
  #turn(): void {
    this.#watch = undefined;
    if (this.#held > 0 || this.#timers.size === 0) return;
    if (++this.#idleTurns >= 2) {
      this.#idleTurns = 0;
      this.#fire();
    }
    this.#watch = setImmediate(() => this.#turn());
  }
}

class VirtualTimer implements ClockTimer {
  readonly due: number;
  readonly fn: () => void;
  readonly cancel: () => void;

  constructor(due: number, fn: () => void, cancel: () => void) {
    this.due = due;
    this.fn = fn;
    this.cancel = cancel;
  }

  unref(): this {
    return this;
  }
}

/** A small seeded generator of numbers in [0, 1) (mulberry32); for tests and simulations, never for secrets. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
