import { realClock } from '../base/clock.ts';
import { Deque } from '../base/deque.ts';
import type { Deferred } from '../base/deferred.ts';
import { deferred } from '../base/deferred.ts';
import type { Delivery } from '../tasks/broker.ts';
import type { Job, Outcome } from './job.ts';
import type { Pool, Run } from './pool.ts';

/** Tells the broker that work on a message begins; resolves when it may. */
export type Begin = (delivery: Delivery) => Promise<void>;

/** Holds back the runs that a pool has no slot for, first come, first served. */
export class PoolQueue {
  readonly pool: Pool;
  readonly #begin: Begin | undefined;
  readonly #waiting = new Deque<WaitingRun>();
  #running = 0;
  #filling = false;

  /** Without `begin` a run that finds a slot starts at once. */
  constructor(pool: Pool, begin?: Begin) {
    this.pool = pool;
    this.#begin = begin;
  }

  run(job: Job, delivery: Delivery): Run {
    const free = this.#running < this.pool.concurrency;
    if (free && this.#begin === undefined) {
      this.#running++;
      return this.#start(job);
    }
    const run = new WaitingRun(job, delivery);
    if (free) this.#admit(run);
    else this.#waiting.push(run);
    return run;
  }

  #start(job: Job): Run {
    const begun = realClock.now(); // before the part of it that is synchronous
    const run = this.pool.run(job);
    const { outcome } = run;
    if (outcome instanceof Promise) {
      // It never rejects.
      void outcome.then(() => this.#leave());
      return { outcome, begun, abort: (reason) => run.abort(reason) };
    }
    this.#leave();
    return run;
  }

  #leave(): void {
    this.#running--;
    // A run that ends at once comes back here, and leaves its slot to the loop that it was started in.
    if (this.#filling) return;
    this.#filling = true;
    while (this.#running < this.pool.concurrency) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      // Those that were told to stop meanwhile have ended.
      if (!next.aborted) this.#admit(next);
    }
    this.#filling = false;
  }

  #admit(run: WaitingRun): void {
    this.#running++;
    if (this.#begin === undefined) return run.start(this.#start(run.job));
    // Where the broker cannot be told, the task runs all the same: should it take the process down, it is not counted.
    void this.#begin(run.delivery)
      .catch(() => {})
      .then(() => (run.aborted ? this.#leave() : run.start(this.#start(run.job))));
  }
}

/** A run without a slot. Told to stop, it ends there and then: its task never starts. */
class WaitingRun implements Run {
  readonly job: Job;
  readonly delivery: Delivery;
  readonly #outcome: Deferred<Outcome> = deferred();
  #started: Run | undefined;
  aborted = false;

  constructor(job: Job, delivery: Delivery) {
    this.job = job;
    this.delivery = delivery;
  }

  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  get begun(): number | undefined {
    return this.#started?.begun;
  }

  start(run: Run): void {
    this.#started = run;
    this.#outcome.resolve(run.outcome);
  }

  abort(reason: Error): void {
    if (this.#started !== undefined) return this.#started.abort(reason);
    this.aborted = true;
    this.#outcome.resolve({ kind: 'lost', reason: reason.message });
  }
}
