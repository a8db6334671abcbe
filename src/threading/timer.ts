import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import { checkSeconds } from '../base/deadline.ts';
import type { AnyFunction } from '../callable/registry.ts';
import type { ThreadOptions } from './thread.ts';
import { Thread } from './thread.ts';

/**
 * A thread that starts some seconds after `start`, unless it is cancelled before. (threading.Timer)
 *
 * @example
 * const timer = new Timer(30, () => console.log('still here'), []).start();
 * timer.cancel();
 */
export class Timer<F extends AnyFunction = AnyFunction> extends Thread<F> {
  readonly interval: number;
  #timer: ClockTimer | undefined;
  #decide: ((really: boolean) => void) | undefined;
  #cancelled = false;

  /** `interval` in seconds. */
  constructor(interval: number, target: F, args: Parameters<F>, options?: ThreadOptions) {
    super(target, args, options);
    this.interval = checkSeconds('interval', interval);
  }

  /** Does not run it if it has not begun. */
  cancel(): void {
    this.#cancelled = true;
    this.#timer?.cancel();
    this.#decide?.(false);
  }

  protected override begin(): void {
    const due = new Promise<boolean>((resolve) => {
      this.#decide = resolve;
      if (this.#cancelled) return resolve(false);
      this.#timer = realClock.setTimer(this.interval, () => resolve(true));
      if (this.daemon) this.#timer.unref();
    });
    this.run(due);
  }
}
