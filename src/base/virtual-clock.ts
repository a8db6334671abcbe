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
  #cancelled = 0;
  readonly #stallers = new Set<() => void>();

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
    const timer = new VirtualTimer(this.#now + Math.max(0, delay), fn, () => this.#drop());
    this.#timers.push(timer);
    this.touch();
    return timer;
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size - this.#cancelled;
  }

  touch(): void {
    this.#idleTurns = 0;
    if (this.#autoJump && this.#watch === undefined) this.#watch = setImmediate(() => this.#turn());
  }

  onStall(fn: () => void): () => void {
    this.#stallers.add(fn);
    this.touch();
    return () => this.#stallers.delete(fn);
  }

  /** Moves time forward, firing what falls due in order; each callback sees its own due time. */
  advance(seconds: number): void {
    const until = this.#now + checkSeconds('seconds', seconds);
    for (let next = this.#peek(); next !== undefined && next.due <= until; next = this.#peek()) {
      this.#fire();
    }
    this.#now = until;
  }

  /** Moves to the next timer and fires it; false if there is none. */
  jump(): boolean {
    if (this.#peek() === undefined) return false;
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
      this.touch();
    }
  }

  // Cancelled timers stay until they come to the top, or are most of the heap: to search for each would be quadratic.
  #peek(): VirtualTimer | undefined {
    for (let next = this.#timers.peek(); next?.cancelled === true; next = this.#timers.peek()) {
      this.#timers.pop();
      this.#cancelled--;
    }
    return this.#timers.peek();
  }

  #drop(): void {
    this.#cancelled++;
    if (this.#cancelled < 64 || this.#cancelled * 2 < this.#timers.size) return;
    const kept: VirtualTimer[] = [];
    for (let timer = this.#timers.pop(); timer !== undefined; timer = this.#timers.pop()) {
      if (!timer.cancelled) kept.push(timer);
    }
    for (const timer of kept) this.#timers.push(timer);
    this.#cancelled = 0;
  }

  #fire(): void {
    const timer = this.#timers.pop()!;
    timer.fired = true;
    this.#now = Math.max(this.#now, timer.due);
    timer.fn();
  }

  // Microtasks and next ticks are done when an immediate runs. Two turns without a new timer or hold also let through
  // what one more setImmediate of the code under test had put off.
  #turn(): void {
    this.#watch = undefined;
    if (this.#held > 0) return;
    const stalled = this.#peek() === undefined;
    if (stalled && this.#stallers.size === 0) return;
    if (++this.#idleTurns >= 2) {
      this.#idleTurns = 0;
      if (stalled) return this.#stall();
      this.#fire();
    }
    this.#watch ??= setImmediate(() => this.#turn());
  }

  // Whoever is told may go on by a timer or a touch; without one the clock rests.
  #stall(): void {
    for (const fn of this.#stallers) fn();
  }
}

class VirtualTimer implements ClockTimer {
  readonly due: number;
  readonly fn: () => void;
  readonly #onCancel: () => void;
  cancelled = false;
  fired = false;

  constructor(due: number, fn: () => void, onCancel: () => void) {
    this.due = due;
    this.fn = fn;
    this.#onCancel = onCancel;
  }

  cancel(): void {
    if (this.cancelled || this.fired) return;
    this.cancelled = true;
    this.#onCancel();
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
