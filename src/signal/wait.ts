import { realClock } from '../base/clock.ts';
import { checkSeconds } from '../base/deadline.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { endingSignals, onAnyAbort, throwIfAnyAborted, withinTask } from '../base/ending-signals.ts';
import { InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { onceHandled, takeSignal } from './handlers.ts';

/**
 * Waits for one of the signals and takes it: its handler does not run, its default does not happen. Gives the number.
 * Signals that come between two waits have their usual effect. TimeoutError, CancelledError; errors of `signal`.
 * Keeps the program alive. sigwait(3), sigtimedwait(2).
 *
 * @example
 * const signum = await sigwait(['SIGTERM', 'SIGINT'], { timeout: 60 });
 */
export function sigwait(signals: Iterable<number | NodeJS.Signals>, options: WaitOptions = {}): Promise<number> {
  const wanted = [...signals];
  return waitFor<number>('sigwait', options, (done) => {
    if (wanted.length === 0) throw new InvalidArgumentError('signals', wanted, 'at least one signal');
    const releases: (() => void)[] = [];
    const release = () => releases.splice(0).forEach((free) => free());
    try {
      for (const sig of wanted) releases.push(takeSignal(sig, done));
    } catch (error) {
      release();
      throw error;
    }
    return release;
  });
}

/** Waits until a handler set by `signal` has run. TimeoutError, CancelledError. Keeps the program alive. pause(2). */
export function pause(options: WaitOptions = {}): Promise<void> {
  return waitFor<void>('pause', options, (done) => onceHandled(done));
}

function waitFor<T>(
  what: string,
  options: WaitOptions,
  subscribe: (done: (value: T) => void) => () => void,
): Promise<T> {
  return withinTask(() => waitIn(what, options, subscribe), what === 'pause' ? 'a signal handler' : 'a signal');
}

async function waitIn<T>(
  what: string,
  options: WaitOptions,
  subscribe: (done: (value: T) => void) => () => void,
): Promise<T> {
  checkOptions(options);
  const { timeout } = options;
  const signals = endingSignals(options.signal);
  throwIfAnyAborted(signals);
  if (timeout !== undefined) checkSeconds('timeout', timeout);
  return new Promise<T>((resolve, reject) => {
    const settle = (how: () => void) => {
      release();
      timer.cancel();
      forget();
      how();
    };
    const release = subscribe((value) => settle(() => resolve(value)));
    // Signal handlers do not hold the event loop; the timer does, though it may never fire.
    const timer = realClock.setTimer(timeout ?? Infinity, () =>
      settle(() => reject(new TimeoutError(`${what} timed out after ${timeout} s`, { timeout }))),
    );
    const forget = onAnyAbort(signals, (error) => settle(() => reject(error)));
  });
}
