import { realClock } from '../../base/clock.ts';
import { ConnectionError } from '../../base/errors.ts';
import { KeepAlive } from '../../base/keep-alive.ts';
import { pause } from '../../base/pause.ts';
import { isTransient } from './failure.ts';

const keepAlive = new KeepAlive();

/**
 * Tries until `work` succeeds, for at most `seconds` counted from `since`; only what a later attempt may cure is tried
 * again. The last error then says how often and how long.
 */
export function persist<T>(seconds: number, work: () => Promise<T>, since = realClock.now()): Promise<T> {
  return keepAlive.during(attempts(seconds, work, since));
}

async function attempts<T>(seconds: number, work: () => Promise<T>, since: number): Promise<T> {
  let delay = 0.02;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const spent = realClock.now() - since;
      if (!isTransient(error)) throw error;
      if (spent + delay > seconds) throw exhausted(error as ConnectionError, attempt, spent);
      await pause(delay * (0.5 + realClock.random() / 2));
      delay = Math.min(delay * 2, 1);
    }
  }
}

function exhausted(error: ConnectionError, attempts: number, spent: number): ConnectionError {
  if (attempts === 1) return error;
  return new ConnectionError(`${error.message} (tried ${attempts} times in ${spent.toFixed(1)} s)`, {
    cause: error.cause,
  });
}
