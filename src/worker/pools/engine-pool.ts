import { messageOf } from '../../base/error-text.ts';
import { pause } from '../../base/pause.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import type { CallEngine } from '../../futures/engine/call-engine.ts';
import type { Call, Sink } from '../../futures/engine/job.ts';
import { BrokenExecutor } from '../../futures/errors.ts';
import type { ExecutorOptions } from '../../futures/options.ts';
import type { PoolName } from '../../tasks/task.ts';
import type { Job, Outcome } from '../job.ts';
import type { Log } from '../log.ts';
import type { Ending, Pool, Stoppable } from '../pool.ts';

// Seconds a task that was told to stop gets to do so, and what is left of them when the worker itself stops.
const grace = 2;
const lastGrace = 1;

export interface EnginePoolOptions {
  readonly name: PoolName;
  readonly concurrency: number;
  readonly log: Log;
  /** Runs a task where the engine's workers are. */
  readonly run: (job: Job) => Outcome | Promise<Outcome>;
  readonly initializer?: AnyFunction;
  readonly initargs?: readonly unknown[];
  readonly open: (options: ExecutorOptions) => CallEngine;
  /** A worker does not end, or what runs on the event loop does not. */
  readonly stuck: (worker: string) => void;
}

/**
 * Runs tasks on an engine: each of its workers, threads, processes or slots of the event loop, has one at a time. One that dies takes
 * only its own task with it, which goes back to the queue and counts as tried; another takes its place.
 */
export class EnginePool implements Pool {
  readonly name: PoolName;
  readonly concurrency: number;
  readonly #options: EnginePoolOptions;
  readonly #stopping = new AbortController();
  #engine: CallEngine | undefined;
  #reopening: Promise<void> | undefined;

  constructor(options: EnginePoolOptions) {
    this.#options = options;
    this.name = options.name;
    this.concurrency = options.concurrency;
  }

  async start(): Promise<void> {
    this.#engine = this.#open();
    try {
      await this.#engine.ready();
    } catch (error) {
      throw error instanceof BrokenExecutor && error.cause !== undefined ? error.cause : error;
    }
  }

  run(job: Job, ending: Ending): Stoppable {
    const run = new EngineRun(this, job, ending);
    this.begin(run);
    return run;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const engine = this.#engine;
    if (engine === undefined) return;
    engine.close();
    await engine.join({ timeout: lastGrace }).catch(() => engine.terminate('SIGKILL'));
  }

  /** @internal */
  begin(run: EngineRun): void {
    try {
      run.begun(this.#engine!.call(this.#options.run, [run.job], run));
    } catch (error) {
      this.failed(run, error);
    }
  }

  /** @internal What a task throws is an outcome: this is a failure of its worker, or of them all. */
  failed(run: EngineRun, error: unknown): void {
    const reason = run.told === undefined ? messageOf(error) : 'it was told to stop';
    if (!(error instanceof BrokenExecutor) || this.#stopping.signal.aborted) {
      return run.ending.ended({ kind: 'lost', reason });
    }
    this.#reopening ??= this.#reopen(error);
    void this.#reopening.then(() => this.begin(run));
  }

  #open(): CallEngine {
    const { log, concurrency, open, initializer, initargs = [], stuck } = this.#options;
    const engine = open({
      maxWorkers: concurrency,
      ...(initializer === undefined ? {} : { initializer, initargs }),
      grace,
    });
    engine.on('died', ({ worker }) => {
      if (!this.#stopping.signal.aborted) log.warn(`${worker} died; another takes its place`);
    });
    engine.on('stuck', ({ worker }) => stuck(worker));
    return engine;
  }

  // Its workers could not be had any more: what waits for them must not be counted as tried for that.
  async #reopen(error: Error): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#stopping;
    let failure: unknown = error;
    for (let delay = 0.1; !signal.aborted; delay = Math.min(delay * 2, 5)) {
      log.error(`cannot start a worker ${this.name}, trying again: ${messageOf(failure)}`);
      await pause(delay, signal);
      // Nobody would close it any more; a stop that comes later finds it.
      if (signal.aborted) break;
      try {
        this.#engine = this.#open();
        await this.#engine.ready();
        break;
      } catch (again) {
        failure = again;
      }
    }
    this.#reopening = undefined;
  }
}

/** One task on its way through an engine, and through another where that has broken. */
class EngineRun implements Sink, Stoppable {
  readonly job: Job;
  readonly ending: Ending;
  told: Error | undefined = undefined;
  readonly #pool: EnginePool;
  #call: Call | undefined = undefined;

  constructor(pool: EnginePool, job: Job, ending: Ending) {
    this.#pool = pool;
    this.job = job;
    this.ending = ending;
  }

  begun(call: Call): void {
    this.#call = call;
    if (this.told !== undefined) call.tell(this.told);
  }

  tell(reason: Error): void {
    this.told = reason;
    this.#call?.tell(reason);
  }

  fulfil(outcome: unknown): void {
    this.ending.ended(outcome as Outcome);
  }

  fail(error: unknown): void {
    this.#pool.failed(this, error);
  }
}
