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

  #start(job: Job): StartedRun {
    const begun = realClock.now(); // before the part of it that is synchronous
    const run = { ...this.pool.run(job), begun };
    // It never rejects.
    void run.outcome.then(() => this.#leave());
    return run;
  }

  #leave(): void {
    this.#running--;
    // Those that were told to stop meanwhile have ended.
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (!next.aborted) return this.#admit(next);
    }
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

type StartedRun = Run & { readonly begun: number };

/** A run without a slot. Told to stop, it ends there and then: its task never starts. */
class WaitingRun implements Run {
  readonly job: Job;
  readonly delivery: Delivery;
  readonly #outcome: Deferred<Outcome> = deferred();
  #started: StartedRun | undefined;
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

  start(run: StartedRun): void {
    this.#started = run;
    this.#outcome.resolve(run.outcome);
  }

  abort(reason: Error): void {
    if (this.#started !== undefined) return this.#started.abort(reason);
    this.aborted = true;
    this.#outcome.resolve({ kind: 'lost', reason: reason.message });
  }
}
