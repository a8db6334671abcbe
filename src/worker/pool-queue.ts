import { realClock } from '../base/clock.ts';
import { Deque } from '../base/deque.ts';
import { deferred } from '../base/deferred.ts';
import type { Job, Outcome } from './job.ts';
import type { Pool, Run } from './pool.ts';

/** Holds back the runs that a pool has no slot for, first come, first served. */
export class PoolQueue {
  readonly pool: Pool;
  readonly #waiting = new Deque<() => void>();
  #running = 0;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  run(job: Job): Run {
    return this.#running < this.pool.concurrency ? this.#begin(job) : this.#wait(job);
  }

  #begin(job: Job): Run & { begun: number } {
    this.#running++;
    const run = { ...this.pool.run(job), begun: realClock.now() };
    void run.outcome.finally(() => {
      this.#running--;
      this.#waiting.shift()?.();
    });
    return run;
  }

  #wait(job: Job): Run {
    const outcome = deferred<Outcome>();
    let begun: (Run & { begun: number }) | undefined;
    let aborted: Error | undefined;
    this.#waiting.push(() => {
      begun = this.#begin(job);
      if (aborted !== undefined) begun.abort(aborted);
      outcome.resolve(begun.outcome);
    });
    const abort = (reason: Error) => (begun === undefined ? void (aborted = reason) : begun.abort(reason));
    return {
      outcome: outcome.promise,
      abort,
      get begun() {
        return begun?.begun;
      },
    };
  }
}
