import type { Job, Outcome } from './job.ts';

/** A run under way in a pool. */
export interface Run {
  /**
   * Known at once for a task that did not wait for anything. Never rejects: a run whose thread or process died under it
   * is a failure that says so.
   */
  readonly outcome: Outcome | Promise<Outcome>;
  /** Since when (seconds on the monotonic clock) the pool has had it; undefined while it waits for a slot. */
  readonly begun?: number | undefined;
  /** Tells the run to stop, through its context's signal. */
  abort(reason: Error): void;
}

/** Where tasks run. The worker never gives it more runs at a time than `concurrency`. */
export interface Pool {
  readonly name: string;
  readonly concurrency: number;
  /** Resolves when it can take runs. */
  start(): Promise<void>;
  run(job: Job): Run;
  /** Ends what is left of it; runs under way fail. */
  stop(): Promise<void>;
}

/** What a pool reaches in its worker. */
export interface PoolServices {
  /** Stores a state that is not final. */
  storeState(id: string, state: string, document: string): Promise<void>;
}
