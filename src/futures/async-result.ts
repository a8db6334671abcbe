import type { WaitOptions } from '../base/deadline.ts';
import { within } from '../base/deadline.ts';
import { InvalidStateError, TimeoutError } from '../base/errors.ts';
import type { Future } from './future.ts';

/** Options of the asynchronous calls of a pool. */
export interface AsyncOptions<T> {
  /** Called with the result. */
  readonly callback?: (value: T) => void;
  /** Called with what the call threw. */
  readonly errorCallback?: (error: unknown) => void;
}

/** The result of a pool's asynchronous call. (multiprocessing.pool.AsyncResult) */
export class AsyncResult<T> {
  readonly #future: Future<T>;

  /** @internal */
  constructor(future: Future<T>, { callback, errorCallback }: AsyncOptions<T> = {}) {
    this.#future = future;
    if (callback === undefined && errorCallback === undefined) return;
    // A failure that has a callback of its own is looked at; one that has not stays to be told.
    if (errorCallback !== undefined) future.look();
    future.addDoneCallback(() => {
      if (future.failed() || future.cancelled()) errorCallback?.(future.outcome());
      else callback?.(future.outcome() as T);
    });
  }

  /** The result, or what the call threw; TimeoutError after `timeout` seconds, which ends the wait only. */
  get(options?: WaitOptions): Promise<T> {
    return this.#future.result(options);
  }

  /** Waits until it is done, at most `timeout` seconds; never rejects for the call. CancelledError if `signal` is aborted. */
  async wait(options: WaitOptions = {}): Promise<void> {
    try {
      await within(this.#future, options);
    } catch (error) {
      if (!this.#future.done() && !(error instanceof TimeoutError)) throw error;
    }
  }

  ready(): boolean {
    return this.#future.done();
  }

  /** Whether it ended without an error. InvalidStateError if it is not ready. */
  successful(): boolean {
    if (!this.#future.done()) throw new InvalidStateError('the result is not ready');
    return !this.#future.failed() && !this.#future.cancelled();
  }
}
