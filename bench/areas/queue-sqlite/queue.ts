/**
 * What the rows of this area ask of a queue. The one job is `x → x + 1`; every queue keeps its file in a directory of
 * its own and has its worker in a process of its own.
 */
export interface Queue extends AsyncDisposable {
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Resolves with the job's id once the job is durable. */
  add(x: number): Promise<string>;
  /** The fastest way this queue offers to add many; resolves with their ids once all are durable. */
  addMany(xs: readonly number[]): Promise<string[]>;
  /** Starts the worker process and waits until it can take jobs. */
  startWorker(): Promise<void>;
  /** Ends the worker process and waits for its end. */
  stopWorker(): Promise<void>;
  /** Jobs not yet done and written. */
  remaining(): Promise<number>;
  /** Waits for the results of all these jobs, and gives them in the order of the ids; each may be asked for once. */
  results(ids: readonly string[]): Promise<number[]>;
}
