import { onAbort } from './abort.ts';
import type { WaitOptions } from './deadline.ts';
import { ambientSignal, cancelledBy, enterWait, within } from './deadline.ts';
import { InvalidArgumentError } from './errors.ts';

/** What ends a wait early: the signal it was given, and that of what it runs in (an asyncio task), where there is one. */
export function endingSignals(given: AbortSignal | undefined): readonly AbortSignal[] {
  const ambient = ambientSignal();
  if (given === undefined) return ambient === undefined ? none : [ambient];
  if (typeof given !== 'object' || given === null || !('aborted' in given) || !('addEventListener' in given))
    throw new InvalidArgumentError('signal', given, 'an AbortSignal');
  // What is owed to the task is delivered by being looked at, so it comes first.
  return ambient === undefined || ambient === given ? [given] : [ambient, given];
}

/** The bounds of a wait as `within` takes them. */
export function endings({ timeout, signal }: WaitOptions = {}): {
  timeout: number | undefined;
  signals: readonly AbortSignal[];
} {
  return { timeout, signals: endingSignals(signal) };
}

const none: readonly AbortSignal[] = [];

/** Throws what `cancelledBy` makes of the first that is aborted. */
export function throwIfAnyAborted(signals: readonly AbortSignal[]): void {
  for (const signal of signals) if (signal.aborted) throw cancelledBy(signal);
}

/** Calls `fn` with the error when one of them is aborted, unless the function returned is called before. */
export function onAnyAbort(signals: readonly AbortSignal[], fn: (error: Error) => void): () => void {
  if (signals.length === 1) return onAbort(signals[0], () => fn(cancelledBy(signals[0]!)));
  const forgets = signals.map((signal) => onAbort(signal, () => fn(cancelledBy(signal))));
  return () => {
    for (const forget of forgets) forget();
  };
}

/**
 * Runs a call that follows the signal of its task, which shows in the task tree that it waits for `what`. Begun early, it may never be awaited, because what was to do so has
 * been cancelled too: that is no unhandled rejection.
 */
export function withinTask<T>(steps: () => Promise<T>, what?: string): Promise<T> {
  const ambient = ambientSignal();
  if (ambient === undefined) return steps();
  // It is delivered by being looked at: the steps would not see it.
  if (ambient.aborted) return Promise.reject(cancelledBy(ambient));
  const leave = what === undefined ? undefined : enterWait(what);
  const promise = forgetting();
  const forget = onAbort(ambient, () => void promise.catch(() => {}));
  return promise;

  async function forgetting(): Promise<T> {
    try {
      return await steps();
    } finally {
      leave?.();
      forget();
    }
  }
}

/**
 * Waits for a promise as a call of the task that runs: settles as it does, or rejects with TimeoutError, or with
 * CancelledError once `signal` or the task's own is aborted. `what`, as in "the end of a pool", is for errors and task trees.
 */
export function withinBounds<T>(promise: PromiseLike<T>, options: WaitOptions | undefined, what: string): Promise<T> {
  return withinTask(() => within(promise, { ...endings(options), what: `waiting for ${what}` }), what);
}
