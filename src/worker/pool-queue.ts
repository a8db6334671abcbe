import { realClock } from '../base/clock.ts';
import { Deque } from '../base/deque.ts';
import type { Delivery } from '../tasks/broker.ts';
import type { Job, Outcome } from './job.ts';
import type { Ending, Pool, Run, Stoppable } from './pool.ts';

/** Tells the broker that work on a message begins; resolves when it may. */
export type Begin = (delivery: Delivery) => Promise<void>;

/** Holds back the runs that a pool has no slot for, first come, first served. */
export class PoolQueue {
  readonly pool: Pool;
  readonly #begin: Begin | undefined;
  readonly #waiting = new Deque<PoolRun>();
  #running = 0;
  #filling = false;

  /** Without `begin` a run that finds a slot starts at once. */
  constructor(pool: Pool, begin?: Begin) {
    this.pool = pool;
    this.#begin = begin;
  }

  /** A run that is told to stop while it waits ends at once. */
  run(job: Job, delivery: Delivery, ending: Ending): Run {
    const run = new PoolRun(this, job, delivery, ending);
    if (this.#running < this.pool.concurrency) this.#admit(run);
    else this.#waiting.push(run);
    return run;
  }

  #admit(run: PoolRun): void {
    this.#running++;
    if (this.#begin === undefined) return this.#start(run);
    // Where the broker cannot be told, the task runs all the same: should it take the process down, it is not counted.
    void this.#begin(run.delivery)
      .catch(() => {})
      .then(() => (run.aborted ? this.leave() : this.#start(run)));
  }

  #start(run: PoolRun): void {
    run.begun = realClock.now(); // before the part of it that is synchronous
    run.started = this.pool.run(run.job, run);
  }

  /** A run has left its slot. */
  leave(): void {
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
}

/** Told to stop while it has no slot, it ends there and then: its task never starts. */
class PoolRun implements Run, Ending {
  readonly job: Job;
  readonly delivery: Delivery;
  started: Stoppable | undefined = undefined;
  begun: number | undefined = undefined;
  aborted = false;
  readonly #queue: PoolQueue;
  readonly #ending: Ending;

  constructor(queue: PoolQueue, job: Job, delivery: Delivery, ending: Ending) {
    this.#queue = queue;
    this.job = job;
    this.delivery = delivery;
    this.#ending = ending;
  }

  ended(outcome: Outcome): void {
    this.#ending.ended(outcome);
    this.#queue.leave();
  }

  abort(reason: Error): void {
    if (this.started !== undefined) return this.started.tell(reason);
    // A revocation comes by two ways, a message and a mark.
    if (this.aborted) return;
    this.aborted = true;
    this.#ending.ended({ kind: 'lost', reason: reason.message });
  }
}
