import type { ClockTimer } from '../base/clock.ts';
import type { Callback } from './callback.ts';

/** A callback that was given to the loop. (asyncio.Handle) */
export class Handle {
  readonly #callback: Callback;

  /** @internal */
  constructor(callback: Callback) {
    this.#callback = callback;
  }

  /** The callback will not be called. */
  cancel(): void {
    this.#callback.cancel();
  }

  cancelled(): boolean {
    return this.#callback.cancelled;
  }
}

/** A callback for a point in time. (asyncio.TimerHandle) */
export class TimerHandle extends Handle {
  readonly #when: number;
  readonly #timer: ClockTimer | undefined;
  readonly #release: (() => void) | undefined;

  /** @internal */
  constructor(callback: Callback, when: number, timer: ClockTimer | undefined, release?: () => void) {
    super(callback);
    this.#release = release;
    this.#when = when;
    this.#timer = timer;
  }

  when(): number {
    return this.#when;
  }

  override cancel(): void {
    super.cancel();
    this.#timer?.cancel();
    this.#release?.();
  }
}
