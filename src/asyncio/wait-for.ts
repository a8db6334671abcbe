import { checkSeconds } from '../base/deadline.ts';
import type { Awaitable, Outcome } from './awaitable.ts';
import { checkAwaitable, ensureFuture } from './awaitable.ts';
import { timeout } from './timeout.ts';

/**
 * Waits for one awaitable for `seconds` at most (undefined: for ever); then cancels it, waits for it to end and throws
 * TimeoutError. A foreign promise is let go instead. Choose `timeout` for more than one call. Throws
 * InvalidArgumentError. (asyncio.wait_for)
 *
 * @example
 * const line = await waitFor(() => reader.readline(), 10);
 */
export function waitFor<A extends Awaitable<unknown>>(awaitable: A, seconds: number | undefined): Promise<Outcome<A>> {
  try {
    if (seconds !== undefined) checkSeconds('seconds', seconds);
    checkAwaitable(awaitable, 'awaitable');
  } catch (error) {
    return Promise.reject(error);
  }
  if (typeof awaitable === 'function') {
    return timeout(seconds, async () => (await awaitable()) as Outcome<A>);
  }
  const future = ensureFuture<unknown>(awaitable, 'awaitable');
  return timeout(seconds, async () => (await future) as Outcome<A>);
}
