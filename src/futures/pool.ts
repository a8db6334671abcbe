import type { WaitOptions } from '../base/deadline.ts';
import { InvalidStateError } from '../base/errors.ts';
import type { AsyncOptions } from './async-result.ts';
import { AsyncResult } from './async-result.ts';
import { chunksOf, defaultChunksize } from './chunks.ts';
import type { Engine } from './engine/engine.ts';
import type { Job } from './engine/job.ts';
import type { Callable } from './executor.ts';
import { Future } from './future.ts';
import { Imap } from './imap.ts';
import { MapCollector } from './map-collector.ts';
import type { ExecutorOptions, ProcessPoolOptions, ThreadPoolOptions } from './options.ts';
import { processEngine } from './process-pool-executor.ts';
import { threadEngine } from './thread-pool-executor.ts';

/** Options of the calls of a pool that take many items. */
export interface ChunkOptions {
  /** Items that travel together (default: a quarter of each worker's share, at most 4096; for `imap` 1). */
  readonly chunksize?: number;
}

/** Options of a pool; the number of workers has its own argument. */
export type PoolOptions<O extends ExecutorOptions> = Omit<O, 'maxWorkers'>;

/** What pools of processes and of threads have in common. */
abstract class WorkerPool implements AsyncDisposable {
  readonly #engine: Engine;

  protected constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Runs `fn(...args)` in a worker. Rejects with what it throws, WorkerLostError, BrokenExecutor; InvalidStateError once closed. */
  async apply<A extends readonly unknown[], R>(fn: Callable<A, R>, args: A): Promise<Awaited<R>> {
    return this.#call(fn, args).result();
  }

  /** As `apply`, at once with a result to wait for. */
  applyAsync<A extends readonly unknown[], R>(
    fn: Callable<A, R>,
    args: A,
    options?: AsyncOptions<Awaited<R>>,
  ): AsyncResult<Awaited<R>> {
    return new AsyncResult(this.#call(fn, args), options);
  }

  /** Calls `fn` with each item and gives the results in order. If one throws, the rest still runs; the first error is given. */
  async map<T, R>(fn: (item: T) => R, items: Iterable<T>, options?: ChunkOptions): Promise<Awaited<R>[]> {
    return this.#map(fn, items, options, 'each').result();
  }

  /** As `map`, at once with a result to wait for. */
  mapAsync<T, R>(
    fn: (item: T) => R,
    items: Iterable<T>,
    options: ChunkOptions & AsyncOptions<Awaited<R>[]> = {},
  ): AsyncResult<Awaited<R>[]> {
    return new AsyncResult(this.#map(fn, items, options, 'each'), options);
  }

  /** As `map` with the items as argument lists. */
  async starmap<A extends readonly unknown[], R>(
    fn: Callable<A, R>,
    items: Iterable<A>,
    options?: ChunkOptions,
  ): Promise<Awaited<R>[]> {
    return this.#map(fn, items, options, 'spread').result();
  }

  /** As `starmap`, at once with a result to wait for. */
  starmapAsync<A extends readonly unknown[], R>(
    fn: Callable<A, R>,
    items: Iterable<A>,
    options: ChunkOptions & AsyncOptions<Awaited<R>[]> = {},
  ): AsyncResult<Awaited<R>[]> {
    return new AsyncResult(this.#map(fn, items, options, 'spread'), options);
  }

  /**
   * The results in order, as they come; items are taken from the iterable (asynchronous too) only a bounded number ahead.
   * An error is thrown in its place, and the iteration can go on behind it.
   * Close the pool meanwhile and the rest of the items is run all the same, and waited for by `join`, unless you leave the loop
   * or call `return`: over endless items `join` waits until then, or until `terminate`.
   */
  imap<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ChunkOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    this.#checkOpen();
    return new Imap(this.#engine, fn, items, { ...options, ordered: true });
  }

  /** As `imap`, in the order in which they are done. */
  imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ChunkOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    this.#checkOpen();
    return new Imap(this.#engine, fn, items, { ...options, ordered: false });
  }

  /** Takes no more calls; those it has are run. Idempotent. */
  close(): void {
    this.#engine.close();
  }

  /** Ends the workers now; what has not been done fails with ClosedError. */
  async terminate(): Promise<void> {
    await this.#engine.terminate('SIGKILL');
  }

  /** Waits until the workers have ended. InvalidStateError before `close` or `terminate`; TimeoutError, CancelledError. */
  async join(options?: WaitOptions): Promise<void> {
    if (!this.#engine.closing) throw new InvalidStateError('the pool is still running: close or terminate it first');
    await this.#engine.join(options);
  }

  /** As `terminate`: whoever wants the results has awaited them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate();
    await this.join();
  }

  #call<A extends readonly unknown[], R>(fn: Callable<A, R>, args: A): Future<Awaited<R>> {
    this.#checkOpen();
    const future = new Future<Awaited<R>>();
    return future.follow(this.#engine.call(fn, args, future));
  }

  #map<R>(
    fn: (...args: never) => R,
    items: Iterable<unknown>,
    options: ChunkOptions | undefined,
    form: 'each' | 'spread',
  ): Future<Awaited<R>[]> {
    this.#checkOpen();
    const list = Array.isArray(items) ? (items as unknown[]) : Array.from(items);
    const size = options?.chunksize ?? defaultChunksize(list.length, this.#engine.maxWorkers);
    const collector = new MapCollector<Awaited<R>>(list.length, size);
    const jobs: Job[] = [];
    try {
      for (const chunk of chunksOf(list, size)) jobs.push(this.#engine.chunk(fn, chunk, form, collector.next()));
    } catch (error) {
      for (const job of jobs) job.revoke(false);
      throw error;
    }
    return collector.future;
  }

  #checkOpen(): void {
    if (this.#engine.closing) throw new InvalidStateError('the pool is not running');
  }
}

/**
 * A pool of processes with the manners of Python's: `apply`, `map`, `imap`. Choose it for CPU work that may crash or must be
 * limited; ProcessPoolExecutor is the same with futures. `await using` terminates it. (multiprocessing.Pool)
 *
 * @example
 * await using pool = new Pool(4);
 * await pool.map((n: number) => n * n, [1, 2, 3]); // [1, 4, 9]
 */
export class Pool extends WorkerPool {
  constructor(processes?: number, options: PoolOptions<ProcessPoolOptions> = {}) {
    super(processEngine({ ...options, ...(processes === undefined ? {} : { maxWorkers: processes }) }));
  }
}

/**
 * As Pool, with threads: they start faster, and buffers can be moved to them. (multiprocessing.pool.ThreadPool)
 *
 * @example
 * await using pool = new ThreadPool(2);
 * await pool.starmap((a: number, b: number) => a + b, [[1, 2], [3, 4]]); // [3, 7]
 */
export class ThreadPool extends WorkerPool {
  constructor(threads?: number, options: PoolOptions<ThreadPoolOptions> = {}) {
    super(threadEngine({ ...options, ...(threads === undefined ? {} : { maxWorkers: threads }) }));
  }
}
