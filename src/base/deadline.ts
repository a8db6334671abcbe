import { onAbort } from './abort.ts';
import type { Clock } from './clock.ts';
import { realClock } from './clock.ts';
import { CancelledError, InvalidArgumentError, TimeoutError } from './errors.ts';

/** What every waiting call takes: `timeout` in seconds, `signal` to give up early. */
export interface WaitOptions {
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A point on the monotonic clock, computed once and passed down, so that nested waits share one budget. */
export class Deadline {
  readonly #at: number;
  readonly #clock: Clock;

  private constructor(at: number, clock: Clock) {
    this.#at = at;
    this.#clock = clock;
  }

  /** `undefined` means never. */
  static after(seconds: number | undefined, clock: Clock = realClock): Deadline {
    if (seconds === undefined) return new Deadline(Infinity, clock);
    return new Deadline(clock.now() + checkSeconds('timeout', seconds), clock);
  }

  /** Seconds left, never negative; Infinity for a deadline that never comes. */
  get left(): number {
    return Math.max(0, this.#at - this.#clock.now());
  }

  get passed(): boolean {
    return this.left === 0;
  }
}

/** Validates a duration: a number that is neither NaN nor negative. */
export function checkSeconds(name: string, seconds: number): number {
  if (typeof seconds !== 'number' || Number.isNaN(seconds) || seconds < 0) {
    throw new InvalidArgumentError(name, seconds, 'a number of seconds, 0 or more');
  }
  return seconds;
}

/**
 * Settles as `promise` does, or rejects with TimeoutError or CancelledError (`signal`, or any of `signals`), whichever comes first. The work behind
 * the promise goes on: this bounds the wait, not the work.
 */
export async function within<T>(
  promise: PromiseLike<T>,
  options: WaitOptions & { signals?: readonly AbortSignal[]; clock?: Clock; what?: string } = {},
): Promise<T> {
  const { timeout, signal, clock = realClock, what = 'wait' } = options;
  const { signals = signal === undefined ? [] : [signal] } = options;
  if (timeout === undefined && signals.length === 0) return promise;
  const aborted = signals.find((each) => each.aborted);
  if (aborted !== undefined) {
    // Nobody else may be looking at the promise: its failure is as abandoned as after a timeout.
    promise.then(undefined, () => {});
    throw cancelledBy(aborted);
  }
  if (timeout !== undefined) checkSeconds('timeout', timeout);
  return new Promise<T>((resolve, reject) => {
    const timer =
      timeout === undefined || timeout === Infinity
        ? undefined
        : clock.setTimer(timeout, () => {
            done();
            reject(new TimeoutError(`${what} timed out after ${timeout} s`, { timeout }));
          });
    const abort = (by: AbortSignal) => {
      done();
      reject(cancelledBy(by));
    };
    const done = () => {
      timer?.cancel();
      for (const forget of forgets) forget();
    };
    const forgets = signals.map((each) => onAbort(each, () => abort(each)));
    promise.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}

/** The error for an aborted signal: its own reason if that is already one of ours, else a CancelledError around it. */
export function cancelledBy(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof CancelledError || reason instanceof TimeoutError) return reason;
  return new CancelledError('cancelled', { cause: reason });
}

let ambient: () => AbortSignal | undefined = () => undefined;

/**
 * The signal of what this code runs in, where there is such a thing (an asyncio task). Only for who waits, or throws what
 * it finds aborted: a cancellation that is owed is delivered by it, once.
 */
export function ambientSignal(): AbortSignal | undefined {
  return ambient();
}

let enter: (what: string) => () => void = () => () => {};

/** Tells what this code runs in (an asyncio task) that it waits for something outside the event loop, until the function returned is called. */
export function enterWait(what: string): () => void {
  return enter(what);
}

/** Tells where `ambientSignal` comes from and who wants to know of waits; for the one layer that has tasks. */
export function provideAmbient(signal: () => AbortSignal | undefined, waits: (what: string) => () => void): void {
  ambient = signal;
  enter = waits;
}

/** Throws what `cancelledBy` makes of an aborted signal. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelledBy(signal);
}
