import type { WaitOptions } from '../base/deadline.ts';
import { checkSeconds } from '../base/deadline.ts';
import type { ClockTimer } from '../base/clock.ts';
import { checkWait, Wait } from './wait.ts';

/**
 * Waits `seconds` and gives `result`. Zero lets everything else that is ready run once, input and output included.
 * Cancellation and `signal` end it early and leave nothing behind. Throws InvalidArgumentError if negative or NaN.
 * (asyncio.sleep)
 *
 * @example
 * await sleep(0.5);
 */
export function sleep(seconds: number): Promise<void>;
export function sleep<T>(seconds: number, result: T, options?: Pick<WaitOptions, 'signal'>): Promise<T>;
export function sleep<T>(seconds: number, result?: T, options?: Pick<WaitOptions, 'signal'>): Promise<T | void> {
  checkSeconds('seconds', seconds);
  checkWait(options);
  if (seconds === 0) return yieldTurn(result, options);
  let timer: ClockTimer | undefined;
  const wait = new Wait<T | void>(`sleep(${seconds})`, options, { abandon: () => timer?.cancel() });
  if (!wait.settled && seconds !== Infinity) timer = wait.clock.setTimer(seconds, () => wait.resolve(result));
  return wait.promise;
}

function yieldTurn<T>(result: T, options: WaitOptions | undefined): Promise<T> {
  const wait = new Wait<T>('its next turn', options);
  if (!wait.settled) wait.resolveSoon(result);
  return wait.promise;
}
