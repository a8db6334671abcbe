import type { WaitOptions } from '../../base/deadline.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import type { SubmitOptions } from '../options.ts';
import type { ExecutorEvents, ExecutorStatistics } from '../statistics.ts';
import type { Call, Sink } from './job.ts';

/** What runs calls, whatever its workers are: threads, processes, or slots of this very event loop. */
export interface CallEngine {
  readonly maxWorkers: number;
  /** Takes no more calls. */
  readonly closing: boolean;
  /** Runs `fn(...args)`. What is wrong with function or arguments fails the sink. ClosedError, BrokenExecutor, FullError. */
  call(fn: AnyFunction, args: readonly unknown[], sink: Sink, options?: SubmitOptions): Call;
  /** Settles when calls can run; BrokenExecutor. */
  ready(options?: WaitOptions): Promise<void>;
  resize(maxWorkers: number): void;
  /** Takes no more calls; it ends when those there are have ended. Idempotent. */
  close(options?: { readonly cancelQueued?: boolean }): void;
  /** Waits for the end. */
  join(options?: WaitOptions): Promise<void>;
  /** Ends it now; what is not done fails. */
  terminate(signal: NodeJS.Signals, error?: () => Error): Promise<void>;
  statistics(): ExecutorStatistics;
  on<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): void;
  off<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): void;
}
