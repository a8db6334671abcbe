import { isThenable } from '../base/thenable.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { ensureFuture } from './awaitable.ts';
import type { Future } from './future.ts';
import type { Call } from './wait.ts';
import { checkWait, inCall, Wait } from './wait.ts';

/** Return when one is done. */
export const FIRST_COMPLETED = 'FIRST_COMPLETED';
/** Return when one has failed, or all are done. */
export const FIRST_EXCEPTION = 'FIRST_EXCEPTION';
/** Return when all are done. */
export const ALL_COMPLETED = 'ALL_COMPLETED';
/** When `wait` returns. */
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED;

const modes: readonly unknown[] = [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED];

/** When and after how long `wait` returns. */
export interface WaitManyOptions extends WaitOptions {
  /** When to return (default ALL_COMPLETED). */
  readonly returnWhen?: ReturnWhen | undefined;
}

/**
 * Waits for tasks, futures or promises until all are done, one is, or one fails; gives the sets of done and of pending
 * ones. It throws neither their failures nor TimeoutError: after `timeout` seconds what is pending is in the second
 * set. Cancelling the waiting task leaves them alone. Throws InvalidArgumentError. (asyncio.wait)
 *
 * @example
 * const [done, pending] = await wait([fast, slow], { returnWhen: FIRST_COMPLETED });
 * for (const task of pending) task.cancel();
 */
export function wait<A extends PromiseLike<unknown>>(
  awaitables: Iterable<A>,
  options: WaitManyOptions = {},
): Promise<[done: Set<A>, pending: Set<A>]> {
  return inCall((call) => waitIn(call, awaitables, options));
}

async function waitIn<A extends PromiseLike<unknown>>(
  call: Call,
  awaitables: Iterable<A>,
  options: WaitManyOptions,
): Promise<[done: Set<A>, pending: Set<A>]> {
  checkWait(options);
  const { timeout, signal, returnWhen = ALL_COMPLETED } = options;
  if (!modes.includes(returnWhen)) throw new InvalidArgumentError('returnWhen', returnWhen, modes.join(', '));
  const futures = followed(awaitables);
  const enough = (future?: Future<unknown>): boolean => {
    if (returnWhen === FIRST_COMPLETED && future !== undefined) return true;
    if (returnWhen === FIRST_EXCEPTION && future?.failed() === true) return true;
    return left === 0;
  };
  let left = 0;
  for (const future of futures.values()) if (!future.done()) left++;
  if (![...futures.values()].some((future) => future.done() && enough(future)) && left > 0) {
    await settlement(call, [...futures.values()], { timeout, signal }, (future) => {
      left--;
      return enough(future);
    });
  }
  return split(futures);
}

function followed<A extends PromiseLike<unknown>>(awaitables: Iterable<A>): Map<A, Future<unknown>> {
  if (typeof (awaitables as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator] !== 'function') {
    throw new InvalidArgumentError(
      'awaitables',
      awaitables,
      'tasks, futures or promises in an array or another iterable',
    );
  }
  const futures = new Map<A, Future<unknown>>();
  for (const awaitable of awaitables) {
    if (!isThenable(awaitable)) {
      throw new InvalidArgumentError(
        'awaitables',
        awaitable,
        'tasks, futures or promises (a function: createTask(fn))',
      );
    }
    const future = ensureFuture(awaitable, 'awaitables');
    // A foreign promise is the caller's to look at; whether that happens cannot be seen.
    if ((future as unknown) !== awaitable) future.look();
    futures.set(awaitable, future);
  }
  if (futures.size === 0) throw new InvalidArgumentError('awaitables', awaitables, 'at least one: the set is empty');
  return futures;
}

/** Ends when `enough` says so for a future that got done, or after the timeout, without an error. */
async function settlement(
  call: Call,
  futures: readonly Future<unknown>[],
  { timeout, signal }: WaitOptions,
  enough: (future: Future<unknown>) => boolean,
): Promise<void> {
  const waiting = futures.filter((future) => !future.done());
  const external = waiting.some((future) => future.external);
  const waiter = new Wait<void>(`${waiting.length} tasks or promises`, { signal }, { external });
  const timer =
    timeout === undefined || timeout === Infinity ? undefined : waiter.clock.setTimer(timeout, () => waiter.resolve());
  const observers = waiting.map((future) => {
    const notify = () => {
      if (enough(future)) waiter.resolve();
    };
    const observer = { notify };
    future.observe(observer);
    return () => future.unobserve(observer);
  });
  try {
    await waiter.partOf(call).promise;
  } finally {
    timer?.cancel();
    for (const unobserve of observers) unobserve();
  }
}

function split<A>(futures: ReadonlyMap<A, Future<unknown>>): [Set<A>, Set<A>] {
  const done = new Set<A>();
  const pending = new Set<A>();
  for (const [awaitable, future] of futures) (future.done() ? done : pending).add(awaitable);
  return [done, pending];
}
