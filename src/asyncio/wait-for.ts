import { checkSeconds } from '../base/deadline.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import type { Awaitable, Outcome } from './awaitable.ts';
import { ensureFuture, isPromise } from './awaitable.ts';
import { timeout } from './timeout.ts';

/**
 * Waits for one awaitable for `seconds` at most (undefined: for ever); then cancels it, waits for it to end and throws
 * TimeoutError. A foreign promise is let go instead. Choose `timeout` for more than one call. Throws
 * InvalidArgumentError. (asyncio.wait_for)
 *
 * @example
 * const line = await waitFor(() => reader.readline(), 10);
 */
export async function waitFor<A extends Awaitable<unknown>>(
  awaitable: A,
  seconds: number | undefined,
): Promise<Outcome<A>> {
  if (seconds !== undefined) checkSeconds('seconds', seconds);
  if (typeof awaitable === 'function') {
    return timeout(seconds, async () => (await awaitable()) as Outcome<A>);
  }
  if (!isPromise(awaitable)) {
    throw new InvalidArgumentError('awaitable', awaitable, 'a function, a task, a future or a promise');
  }
  const future = ensureFuture<unknown>(awaitable, 'awaitable');
  return timeout(seconds, async () => (await future) as Outcome<A>);
}
