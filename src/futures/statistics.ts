import type { WorkerDeath } from './errors.ts';

/** Durations in seconds. */
export interface Histogram {
  readonly count: number;
  readonly mean: number;
  readonly max: number;
  /** The value below which that part (0 to 1) of them lies, to a quarter. */
  quantile(part: number): number;
}

/** What a pool has done so far and does now. */
export interface ExecutorStatistics {
  readonly workers: number;
  readonly idleWorkers: number;
  /** Calls that have not been given to a worker. */
  readonly queued: number;
  /** Calls that a worker has, most of them begun. */
  readonly running: number;
  readonly submitted: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly timedOut: number;
  /** Calls whose worker died. */
  readonly lost: number;
  /** Calls taken back from a worker that was busy, and given to another. */
  readonly stolen: number;
  /** Workers replaced: after `maxTasksPerChild` calls, and because they died or were ended. */
  readonly recycled: number;
  readonly died: number;
  /** Part of the workers' time since the start that they spent in calls, 0 to 1. */
  readonly utilisation: number;
  /** From `submit` until the result was there, less the run time. */
  readonly waitTime: Histogram;
  readonly runTime: Histogram;
}

/** Events of a pool. */
export interface ExecutorEvents {
  /** A worker is ready. */
  ready: { readonly worker: string };
  /** A worker that nobody ended is gone, or one above its memory limit; another takes its place. */
  died: WorkerDeath;
  /** A worker left after its share of calls, or because there was nothing to do. */
  left: { readonly worker: string; readonly why: 'recycled' | 'idle' | 'resized' | 'shutdown' };
  /** A call ran longer than it may. */
  timeout: { readonly worker: string; readonly timeout: number };
  /** A worker did not end within its grace time after it was ended: native code that blocks. Only a restart helps. */
  stuck: { readonly worker: string };
}
