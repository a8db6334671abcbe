import type { Clock, ClockTimer } from './clock.ts';
import { realClock } from './clock.ts';
import { checkSeconds } from './deadline.ts';
import { Heap } from './heap.ts';
import { checkOptions } from './options.ts';

/** How a virtual clock starts and moves. */
export interface VirtualClockOptions {
  /** Jump to the next timer by itself whenever nothing else is going on, as long as one is not unref'ed. */
  readonly autoJump?: boolean;
  /**
   * Seconds of real time without anything going on that it lets pass before it jumps while somebody waits for what comes
   * from outside: a socket, an executor, a foreign promise (default 0.05; 0: not at all).
   */
  readonly patience?: number;
  /** Where the clock starts, in seconds since the UNIX epoch (default 2000-01-01). */
  readonly epoch?: number;
  readonly seed?: number;
}

/**
 * A clock whose time moves only when told: by `advance`, or, with `autoJump`, to the next timer whenever every promise
 * has settled and no outside work is held. Twelve hours then take as long as the code that runs in them. Where somebody
 * waits for a socket or another thing from outside, that gets a little real time first (`patience`), since how long it
 * takes cannot be seen; work that may take longer is told by `hold`.
 *
 * @example
 * const clock = new VirtualClock({ autoJump: true });
 * await new Promise<void>((done) => clock.setTimer(43_200, done)); // at once
 */
export class VirtualClock implements Clock {
  readonly #epoch: number;
  readonly #autoJump: boolean;
  readonly #patience: number;
  #timers = new Heap<VirtualTimer>(earlier);
  readonly #random: () => number;
  #now = 0;
  /** Timers that neither fired nor were cancelled, and those of them that keep the clock going. */
  #pending = 0;
  #referenced = 0;
  #held = 0;
  /** Who waits for what comes from outside, the real time given to that, and whether it is over. */
  #outside = 0;
  #waiting: ClockTimer | undefined;
  #waited = false;
  #idleTurns = 0;
  #watch: NodeJS.Immediate | undefined;
  readonly #stallers = new Set<() => void>();

  constructor(options: VirtualClockOptions = {}) {
    checkOptions(options);
    this.#epoch = options.epoch ?? 946_684_800;
    this.#autoJump = options.autoJump ?? false;
    this.#patience = checkSeconds('patience', options.patience ?? 0.05);
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
    const timer = new VirtualTimer(this.#now + Math.max(0, delay), fn, (pending, referenced) => {
      this.#pending += pending;
      this.#referenced += referenced;
      this.#compact();
    });
    this.#timers.push(timer);
    this.#pending++;
    this.#referenced++;
    this.touch();
    return timer;
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#pending;
  }

  /** Tells the clock that something is going on: it waits two more turns before it jumps. */
  touch(): void {
    this.#idleTurns = 0;
    if (this.#waiting !== undefined || this.#waited) this.#impatient();
    if (this.#autoJump && this.#watch === undefined) this.#watch = setImmediate(() => this.#turn());
  }

  /** With `autoJump`: calls `fn` when the clock has come to rest, which a timer or a touch ends. Returns the undoing. */
  onStall(fn: () => void): () => void {
    this.#stallers.add(fn);
    this.touch();
    return () => this.#stallers.delete(fn);
  }

  /** Moves time forward, firing what falls due in order; each callback sees its own due time. */
  advance(seconds: number): void {
    const until = this.#now + checkSeconds('seconds', seconds);
    for (let next = this.#next(); next !== undefined && next.due <= until; next = this.#next()) this.#fire(next);
    this.#now = Math.max(this.#now, until);
  }

  /** Moves to the next timer and fires it; false if there is none, or none that ever comes. */
  jump(): boolean {
    const next = this.#next();
    if (next === undefined || next.due === Infinity) return false;
    this.#fire(next);
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

  outside(change: 1 | -1): void {
    this.#outside += change;
    if (change < 0) this.touch();
  }

  #next(): VirtualTimer | undefined {
    while (this.#timers.peek()?.over) this.#timers.pop();
    return this.#timers.peek();
  }

  #fire(timer: VirtualTimer): void {
    this.#timers.pop();
    this.#now = Math.max(this.#now, timer.due);
    timer.cancel();
    timer.fn();
  }

  // Cancelled timers leave the heap when their time comes; programs that cancel nearly all theirs would pile them up.
  #compact(): void {
    if (this.#timers.size < 2 * this.#pending + 64) return;
    const live = new Heap<VirtualTimer>(earlier);
    for (const timer of this.#timers) if (!timer.over) live.push(timer);
    this.#timers = live;
  }

  // Microtasks and next ticks are done when an immediate runs. Two turns without a new timer or hold also let through
  // what one more setImmediate of the code under test had put off.
  #turn(): void {
    this.#watch = undefined;
    if (this.#held > 0) return;
    const stalled = this.#referenced === 0 || this.#next()?.due === Infinity;
    if (stalled && this.#stallers.size === 0) return;
    if (++this.#idleTurns < 2) {
      this.#watch = setImmediate(() => this.#turn());
      return;
    }
    if (!this.#hasWaited()) return;
    this.#idleTurns = 0;
    if (stalled) for (const fn of this.#stallers) fn();
    else {
      // Before the jump: a callback that throws must not stop the clock.
      this.#watch = setImmediate(() => this.#turn());
      this.jump();
    }
  }

  // A turn follows the timer, in which what has arrived meanwhile on a busy machine is seen.
  #hasWaited(): boolean {
    const due = this.#next()?.due ?? Infinity;
    if (this.#outside === 0 || this.#patience === 0 || due <= this.#now || this.#waited) {
      this.#waited = false;
      return true;
    }
    this.#waiting ??= realClock.setTimer(this.#patience, () => {
      this.#waiting = undefined;
      this.#waited = true;
      this.#watch ??= setImmediate(() => this.#turn());
    });
    return false;
  }

  #impatient(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.#waited = false;
  }
}

function earlier(a: VirtualTimer, b: VirtualTimer): number {
  return a.due - b.due || a.order - b.order;
}

let timersMade = 0;

class VirtualTimer implements ClockTimer {
  readonly due: number;
  readonly fn: () => void;
  /** Timers due at the same time fire in the order in which they were made. */
  readonly order = timersMade++;
  readonly #count: (pending: number, referenced: number) => void;
  #over = false;
  #referenced = true;

  constructor(due: number, fn: () => void, count: (pending: number, referenced: number) => void) {
    this.due = due;
    this.fn = fn;
    this.#count = count;
  }

  /** It fired or was cancelled. */
  get over(): boolean {
    return this.#over;
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#count(-1, this.#referenced ? -1 : 0);
  }

  unref(): this {
    if (this.#referenced && !this.#over) this.#count(0, -1);
    this.#referenced = false;
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
