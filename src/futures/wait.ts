import type { WaitOptions } from '../base/deadline.ts';
import { withinBounds } from '../base/ending-signals.ts';
import { InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import type { Future } from './future.ts';

/** As soon as one is done. */
export const FIRST_COMPLETED = 'FIRST_COMPLETED';
/** As soon as one has failed, else when all are done. */
export const FIRST_EXCEPTION = 'FIRST_EXCEPTION';
/** When all are done. */
export const ALL_COMPLETED = 'ALL_COMPLETED';

/** When `wait` is to return. */
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED;

/** Options of `wait`. */
export interface WaitManyOptions extends WaitOptions {
  /** By default when all are done. */
  readonly returnWhen?: ReturnWhen;
}

/**
 * Waits for several futures and tells which are done; never fails for one of them, nor when `timeout` seconds pass. CancelledError when
 * `signal` is aborted. (concurrent.futures.wait)
 *
 * @example
 * const { done, notDone } = await wait(futures, { timeout: 1, returnWhen: FIRST_COMPLETED });
 */
export async function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  { timeout, signal, returnWhen = ALL_COMPLETED }: WaitManyOptions = {},
): Promise<{ done: Set<F>; notDone: Set<F> }> {
  const all = new Set(futures);
  const enough = condition(returnWhen, all);
  if (!enough()) await until(all, enough, { timeout, signal });
  const done = new Set([...all].filter((future) => future.done()));
  return { done, notDone: new Set([...all].filter((future) => !done.has(future))) };
}

async function until(all: ReadonlySet<Future<unknown>>, enough: () => boolean, options: WaitOptions): Promise<void> {
  let look = () => {};
  const reached = new Promise<void>((resolve) => {
    look = () => (enough() ? resolve() : undefined);
  });
  for (const future of all) future.addDoneCallback(look);
  try {
    await withinBounds(reached, options, `${all.size} futures`);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  } finally {
    for (const future of all) future.removeDoneCallback(look);
  }
}

function condition(returnWhen: ReturnWhen, all: ReadonlySet<Future<unknown>>): () => boolean {
  const isDone = (future: Future<unknown>) => future.done();
  switch (returnWhen) {
    case ALL_COMPLETED:
      return () => every(all, isDone);
    case FIRST_COMPLETED:
      return () => all.size === 0 || some(all, isDone);
    case FIRST_EXCEPTION:
      return () => some(all, (future) => future.failed()) || every(all, isDone);
    default:
      throw new InvalidArgumentError(
        'returnWhen',
        returnWhen,
        `${FIRST_COMPLETED}, ${FIRST_EXCEPTION} or ${ALL_COMPLETED}`,
      );
  }
}

function every<T>(all: ReadonlySet<T>, test: (one: T) => boolean): boolean {
  for (const one of all) if (!test(one)) return false;
  return true;
}

function some<T>(all: ReadonlySet<T>, test: (one: T) => boolean): boolean {
  for (const one of all) if (test(one)) return true;
  return false;
}
