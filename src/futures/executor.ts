import type { WaitOptions } from '../base/deadline.ts';
import type { Future } from './future.ts';
import type { MapOptions, SubmitOptions } from './options.ts';
import type { ExecutorEvents, ExecutorStatistics } from './statistics.ts';

/** A function that an executor can run: `portable`, of `fromModule`, or a plain one without free variables. */
export type Callable<A extends readonly unknown[], R> = (...args: [...A]) => R;

/** One iterable for each parameter. */
export type Iterables<A extends readonly unknown[]> = { [K in keyof A]: Iterable<A[K]> };

/** How `shutdown` ends an executor. */
export interface ShutdownOptions extends WaitOptions {
  /** The promise settles when everything has run and all workers are gone (default); else at once. */
  readonly wait?: boolean;
  /** Cancels what has not begun (default false). */
  readonly cancelFutures?: boolean;
}

/**
 * Runs functions somewhere else; the same in threads, processes and on a fleet. (concurrent.futures.Executor)
 *
 * @example
 * await using pool: Executor = new ProcessPoolExecutor({ maxWorkers: 4 });
 * const future = pool.submit((n: number) => n * n, 12);
 * await future; // 144
 */
export abstract class Executor implements AsyncDisposable {
  /**
   * Runs `fn(...args)` and gives its future at once. Arguments are cloned now; a function or argument that cannot cross
   * fails the future (InvalidArgumentError, EncodeError). ClosedError after `shutdown`, BrokenExecutor, FullError beyond `maxQueue`.
   */
  submit<A extends readonly unknown[], R>(fn: Callable<A, R>, ...args: A): Future<Awaited<R>> {
    return this.submitWith(undefined, fn, ...args);
  }

  /** As `submit`, with a priority, a time limit or a signal for this call. */
  abstract submitWith<A extends readonly unknown[], R>(
    options: SubmitOptions | undefined,
    fn: Callable<A, R>,
    ...args: A
  ): Future<Awaited<R>>;

  /**
   * Calls `fn` with the items of one iterable for each of its parameters, until the shortest ends; gives the results in
   * order. All calls are submitted at once, unless `buffersize` bounds them. The last argument may be options;
   * `timeout` there is for each call. The first failure ends it and cancels the rest.
   *
   * @example
   * for await (const square of pool.map((n: number) => n * n, [1, 2, 3])) console.log(square);
   */
  abstract map<A extends readonly unknown[], R>(
    fn: Callable<A, R>,
    ...iterables: [...Iterables<A>] | [...Iterables<A>, options: MapOptions]
  ): AsyncIterableIterator<Awaited<R>>;

  /** Waits for room in the queue (`maxQueue`) for one `submit` made in the same turn. TimeoutError, CancelledError, ClosedError, BrokenExecutor. */
  abstract room(options?: WaitOptions): Promise<void>;

  /** Takes no more calls and ends when those it has are done. Idempotent. TimeoutError ends the wait only. */
  abstract shutdown(options?: ShutdownOptions): Promise<void>;

  /** As `shutdown()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}

/** An executor with workers on this machine: what pools of threads and of processes have in common. */
export interface WorkerPool {
  /** Settles when all workers are ready. BrokenExecutor, TimeoutError, CancelledError. */
  ready(options?: WaitOptions): Promise<void>;
  /** Changes the number of workers: new ones start at once, surplus ones end after the call they run. */
  resize(maxWorkers: number): void;
  /**
   * Results of a function that gives an iterator (a `portable` generator, or one that returns an iterable), as they
   * come. At most 64 are ahead of the consumer; leaving the loop ends the function: its signal fires, and it is left at its
   * next `yield`, or ended with its worker after `grace`.
   */
  stream<A extends readonly unknown[], Y>(
    fn: Callable<A, Iterable<Y> | AsyncIterable<Y>>,
    ...args: A
  ): AsyncIterableIterator<Y>;
  /** Ends the workers now by SIGTERM (threads: at once); what they run fails with BrokenExecutor. Python 3.14. */
  terminateWorkers(): Promise<void>;
  /** As `terminateWorkers`, by SIGKILL. Python 3.14. */
  killWorkers(): Promise<void>;
  statistics(): ExecutorStatistics;
  on<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): this;
  off<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): this;
}
