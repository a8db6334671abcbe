import type { ResourceLimits } from 'node:worker_threads';
import type { AnyFunction } from '../callable/registry.ts';
import type { StartMethod } from '../multiprocessing/start-method.ts';

/** How a pool is made and kept. All times are seconds, all sizes bytes. */
export interface ExecutorOptions {
  /** Most workers, created ahead (default: the CPUs this process may use). */
  readonly maxWorkers?: number;
  /** Workers that stay when there is nothing to do (default: `maxWorkers`). */
  readonly minWorkers?: number;
  /** Idle seconds after which a worker above `minWorkers` is ended (default 30). */
  readonly idleTimeout?: number;
  /** Called once in each new worker, before its first call. If it throws, the executor is broken. */
  readonly initializer?: AnyFunction;
  readonly initargs?: readonly unknown[];
  /** Calls after which a worker is replaced; the next one is ready before it leaves. Default: never. */
  readonly maxTasksPerChild?: number;
  /** Asynchronous calls that one worker may have under way at a time (default 1). */
  readonly concurrency?: number;
  /** Most calls that may wait to begin; `submit` throws FullError beyond it, `room` waits. Default: no limit. */
  readonly maxQueue?: number;
  /** Seconds a call may run, unless it says otherwise; then its future fails with TimeoutError and it is ended. */
  readonly timeout?: number;
  /** Seconds between telling a call to stop, by its signal, and ending its worker (default 1). */
  readonly grace?: number;
  /**
   * Memory of a worker above which it is ended. Of a process its resident set, hard; of a thread its heap, best effort: Buffers
   * are not counted and one large allocation may end the whole program.
   */
  readonly memoryLimit?: number;
}

/** Options of a pool of threads. */
export interface ThreadPoolOptions extends ExecutorOptions {
  /** Bounds of heap and stack in MB, as Node has them. */
  readonly resourceLimits?: ResourceLimits;
}

/** Options of a pool of processes. */
export interface ProcessPoolOptions extends ExecutorOptions {
  /**
   * How the processes are made (default: what `setStartMethod` of `simul/multiprocessing` says). With `fork` they are copies of this
   * program, which must have been started by `simul run` and run no threads, else UnsupportedError.
   */
  readonly startMethod?: StartMethod;
}

/** Options of one call. */
export interface SubmitOptions {
  /** Higher begins first (default 0); equal ones in the order they came. */
  readonly priority?: number;
  /** Seconds it may run, from its beginning; then its future fails with TimeoutError and it is ended. */
  readonly timeout?: number;
  /** Cancels it, running or not: at once if it waits; else its own signal fires and, after `grace`, its worker is ended. */
  readonly signal?: AbortSignal;
}

/** Options of `Executor.map`. */
export interface MapOptions extends SubmitOptions {
  /** Items that travel together (default 1). Large ones make short calls several times as fast. */
  readonly chunksize?: number;
  /** Most items taken from the iterable ahead of the consumer (default: all of them at once). */
  readonly buffersize?: number;
}
