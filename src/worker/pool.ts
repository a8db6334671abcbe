import type { Job, Outcome } from './job.ts';

/** A task in a pool. */
export interface Run {
  /** Since when (seconds on the monotonic clock) the pool has had it; undefined while it waits for a slot. */
  readonly begun?: number | undefined;
  /** Tells the run to stop, through its context's signal. */
  abort(reason: Error): void;
}

/** Hears once how a task ended; that its thread or process died under it is an outcome too. */
export interface Ending {
  ended(outcome: Outcome): void;
}

/** A task that can be told to stop, through its context's signal. */
export interface Stoppable {
  tell(reason: Error): void;
}

/** Where tasks run. The worker never gives it more runs at a time than `concurrency`. */
export interface Pool {
  readonly name: string;
  readonly concurrency: number;
  /** Resolves when it can take runs. */
  start(): Promise<void>;
  /** Runs a task; it may end before this returns. */
  run(job: Job, ending: Ending): Stoppable;
  /** Ends what is left of it; runs under way fail. */
  stop(): Promise<void>;
}

/** What a pool reaches in its worker. */
export interface PoolServices {
  /** Stores a state that is not final. */
  storeState(id: string, state: string, document: string): Promise<void>;
  /** A thread cannot be ended: this process is to be left, the sooner the better. */
  stuck(thread: string): void;
}
