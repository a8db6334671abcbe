import { sleep } from '../asyncio/sleep.ts';
import type { BoundedOptions } from '../asyncio/wait.ts';
import { checkWait } from '../asyncio/wait.ts';
import { Deadline } from '../base/deadline.ts';
import { TimeoutError } from '../base/errors.ts';

/**
 * Tries again after ever longer pauses, up to 50 ms, until there is a result: for what the kernel tells nobody of, which is room in
 * the queue of another UNIX socket.
 */
export async function untilRoom<T>(
  what: string,
  attempt: () => T | undefined,
  options: BoundedOptions | undefined,
): Promise<T> {
  checkWait(options);
  const { timeout, signal } = options ?? {};
  const deadline = options?.deadline ?? Deadline.after(timeout);
  for (let pause = 0.001; ; pause = Math.min(2 * pause, 0.05)) {
    const result = attempt();
    if (result !== undefined) return result;
    if (deadline.passed) throw new TimeoutError(`waiting for ${what} timed out after ${timeout} s`, { timeout });
    await sleep(Math.min(pause, deadline.left), undefined, { signal });
  }
}
