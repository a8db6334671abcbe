import type { WaitOptions } from '../base/deadline.ts';
import { Deadline } from '../base/deadline.ts';
import { withinBounds } from '../base/ending-signals.ts';
import { TimeoutError } from '../base/errors.ts';
import type { Future } from './future.ts';

/**
 * The futures in the order in which they are done. They come in an array of one, because what comes through a promise and can be awaited
 * would be awaited. TimeoutError, saying how many are left, when `timeout` seconds after the call have passed; CancelledError.
 * (concurrent.futures.as_completed)
 *
 * @example
 * for await (const [future] of asCompleted(futures)) console.log(await future.result());
 */
export async function* asCompleted<F extends Future<unknown>>(
  futures: Iterable<F>,
  options: WaitOptions = {},
): AsyncGenerator<[F], void, void> {
  const deadline = Deadline.after(options.timeout);
  const all = new Set(futures);
  const done: F[] = [];
  let wake = () => {};
  const note = (future: Future<unknown>) => {
    done.push(future as F);
    wake();
  };
  for (const future of all) future.addDoneCallback(note);
  try {
    for (let left = all.size; left > 0; left--) {
      if (done.length === 0) {
        const next = new Promise<void>((resolve) => (wake = resolve));
        await bounded(next, deadline, options, `${left} (of ${all.size}) futures unfinished`);
      }
      yield [done.shift()!];
    }
  } finally {
    for (const future of all) future.removeDoneCallback(note);
  }
}

async function bounded(next: Promise<void>, deadline: Deadline, options: WaitOptions, what: string): Promise<void> {
  const timeout = options.timeout === undefined ? undefined : deadline.left;
  try {
    await withinBounds(next, { timeout, signal: options.signal }, 'the next of several futures');
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    throw new TimeoutError(what, { timeout: options.timeout });
  }
}
