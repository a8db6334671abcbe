import type { RedisServer } from './redis-server.ts';

/**
 * What the rows of this area ask of a queue. The one job is `x → x + 1`. The client is in the bench process (for Celery
 * in a Python process), the worker in a process of its own, both at the same Redis.
 */
export interface Queue extends AsyncDisposable {
  /** Printed with the figures. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Sends 0 to n-1, one by one, `concurrency` calls under way at a time; resolves with the seconds it took. */
  enqueue(n: number, concurrency: number): Promise<number>;
  /** The fastest way it offers to send many. Without `results` none are kept. */
  enqueueBulk(n: number, results: boolean): Promise<number>;
  /** Sends n jobs, `concurrency` at a time, each awaited with its result. */
  roundTrips(n: number, concurrency: number): Promise<number>;
  /** The milliseconds of n calls, one after the other, each with its result and a pause before it. */
  latencies(n: number): Promise<number[]>;
  startWorker(): Promise<void>;
  /** Ends the worker, if there is one; resolves with how many jobs it ran. */
  stopWorker(): Promise<number>;
  /** Jobs not yet done and written. */
  remaining(): Promise<number>;
  /** What is stored for the jobs last sent, in the order of their numbers. */
  results(n: number): Promise<(number | undefined)[]>;
}

export interface QueueMaker {
  readonly name: string;
  /** Settings worth trying; the first is taken where there is no time to try. */
  readonly tunings: readonly Readonly<Record<string, number>>[];
  make(server: RedisServer, tuning: Readonly<Record<string, number>>): Promise<Queue>;
}
