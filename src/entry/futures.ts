export { ClusterExecutor } from '../tasks/cluster-executor.ts';
export { asCompleted } from '../futures/as-completed.ts';
export { AsyncResult } from '../futures/async-result.ts';
export type { AsyncOptions } from '../futures/async-result.ts';
export { carryContext } from '../futures/context.ts';
export { BrokenExecutor, BrokenProcessPool, BrokenThreadPool, WorkerLostError } from '../futures/errors.ts';
export type { WorkerDeath } from '../futures/errors.ts';
export { Executor } from '../futures/executor.ts';
export type { Callable, Iterables, ShutdownOptions, WorkerPool } from '../futures/executor.ts';
export { Future } from '../futures/future.ts';
export type { CancelOptions } from '../futures/future.ts';
export type {
  ExecutorOptions,
  MapOptions,
  ProcessPoolOptions,
  SubmitOptions,
  ThreadPoolOptions,
} from '../futures/options.ts';
export { Pool, ThreadPool } from '../futures/pool.ts';
export type { ChunkOptions, PoolOptions } from '../futures/pool.ts';
export { ProcessPoolExecutor } from '../futures/process-pool-executor.ts';
export type { ExecutorEvents, ExecutorStatistics, Histogram } from '../futures/statistics.ts';
export { ThreadPoolExecutor } from '../futures/thread-pool-executor.ts';
export { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, wait } from '../futures/wait.ts';
export type { ReturnWhen, WaitManyOptions } from '../futures/wait.ts';
export { CancelledError, InvalidStateError, TimeoutError } from '../base/errors.ts';
