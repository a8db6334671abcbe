import { checkSeconds } from '../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError, TimeoutError } from '../base/errors.ts';
import type { ClockTimer } from '../base/clock.ts';
import { inTask, runBody } from './body.ts';
import { isCancellation } from './cancellation.ts';
import { Scope } from './scope.ts';
import type { Call } from './wait.ts';
import { inCall } from './wait.ts';

/** What the body of a timeout gets: `signal` for code that is not of this library, and the timeout itself. */
export type TimeoutBody<T> = (signal: AbortSignal, timeout: Timeout) => T | PromiseLike<T>;

/**
 * Runs `fn` and cancels what it waits for after `delay` seconds (undefined: never); it then throws TimeoutError. Only
 * the body is cancelled, so a cancellation from outside, or of a timeout around it, passes through as what it is. A
 * body that ends well, or throws another error, after the time is up is taken at its word. (asyncio.timeout)
 *
 * @example
 * const page = await timeout(5, async (signal) => (await fetch(url, { signal })).text());
 */
export function timeout<T>(delay: number | undefined, fn: TimeoutBody<T>): Promise<T> {
  return inCall(async (call) => {
    if (delay !== undefined) checkSeconds('delay', delay);
    return inTask('timeout', (scope) => {
      const when = delay === undefined ? undefined : scope.kernel.clock.now() + delay;
      return bounded(call, scope, when, fn, delay);
    });
  });
}

/** As `timeout`, with the end as a reading of `getRunningLoop().time()`, which may be past. (asyncio.timeout_at) */
export function timeoutAt<T>(when: number | undefined, fn: TimeoutBody<T>): Promise<T> {
  return inCall(async (call) => {
    if (when !== undefined) checkTime('when', when);
    return inTask('timeout', (scope) => bounded(call, scope, when, fn));
  });
}

async function bounded<T>(
  call: Call,
  outer: Scope,
  when: number | undefined,
  fn: TimeoutBody<T>,
  seconds?: number,
): Promise<T> {
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, 'a function');
  const scope = new Scope(outer.kernel, outer.task, outer);
  scope.call = call;
  const above = scope.requestsAbove();
  const timeout = new Timeout(scope, when);
  try {
    return await runBody(scope, () => fn(scope.signal, timeout));
  } catch (error) {
    if (!timeout.expired() || !isCancellation(error, scope) || scope.requestsAbove() > above) throw error;
    const after = seconds === undefined ? '' : ` after ${seconds} s`;
    throw new TimeoutError(`timed out${after}`, { cause: error, timeout: seconds });
  } finally {
    timeout.finish();
    scope.close();
  }
}

/** The timeout of a running body: it can be asked and moved. (asyncio.Timeout) */
export class Timeout {
  readonly #scope: Scope;
  #when: number | undefined;
  #timer: ClockTimer | undefined;
  #state: 'active' | 'expired' | 'finished' = 'active';

  /** @internal */
  constructor(scope: Scope, when: number | undefined) {
    this.#scope = scope;
    this.#when = when;
    this.#arm();
  }

  /** When it ends, on the loop's clock; undefined for never. */
  when(): number | undefined {
    return this.#when;
  }

  /** Whether the time was up while the body ran. */
  expired(): boolean {
    return this.#state === 'expired';
  }

  /** Moves the end. Throws InvalidStateError once it has come or the body is over. */
  reschedule(when: number | undefined): void {
    if (when !== undefined) checkTime('when', when);
    if (this.#state !== 'active') throw new InvalidStateError(`Cannot change state of ${this.#state} Timeout`);
    this.#timer?.cancel();
    this.#when = when;
    this.#arm();
  }

  /** @internal */
  finish(): void {
    this.#timer?.cancel();
    if (this.#state === 'active') this.#state = 'finished';
  }

  #arm(): void {
    if (this.#when === undefined || this.#when === Infinity) return;
    const { clock } = this.#scope.kernel;
    this.#timer = clock.setTimer(this.#when - clock.now(), () => {
      this.#state = 'expired';
      this.#scope.cancel(undefined);
    });
  }
}

/** Validates a reading of the clock: a number, not NaN. */
export function checkTime(name: string, when: number): number {
  if (typeof when === 'number' && !Number.isNaN(when)) return when;
  throw new InvalidArgumentError(name, when, 'a reading of the clock in seconds');
}
