import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';

/** Counts in shared memory for as long as its thread is not blocked, so that another thread can tell. */
export class Heartbeat {
  readonly counter = new Int32Array(new SharedArrayBuffer(4));
  readonly #interval: number;
  #timer: ClockTimer | undefined;

  constructor(interval: number) {
    this.#interval = interval;
    this.#beat();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #beat(): void {
    Atomics.add(this.counter, 0, 1);
    this.#timer = realClock.setTimer(this.#interval, () => this.#beat()).unref();
  }
}
