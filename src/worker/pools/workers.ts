import { messageOf } from '../../base/error-text.ts';
import { pause } from '../../base/pause.ts';
import { fromModule } from '../../callable/from-module.ts';
import type { Engine } from '../../futures/engine/engine.ts';
import { BrokenExecutor } from '../../futures/errors.ts';
import type { ExecutorOptions } from '../../futures/options.ts';
import type { PoolName } from '../../tasks/task.ts';
import type { Job, Outcome } from '../job.ts';
import type { Log, LogLevel } from '../log.ts';
import type { Pool, Run } from '../pool.ts';

const child = fromModule<typeof import('./child.ts')>(new URL('./child.js', import.meta.url));

// Seconds a task that was told to stop gets to do so, and what is left of them when the worker itself stops.
const grace = 2;
const lastGrace = 1;

export interface WorkersPoolOptions {
  readonly name: PoolName;
  readonly concurrency: number;
  /** URL of the module that exports the app. */
  readonly module: string;
  readonly loglevel: LogLevel;
  readonly log: Log;
  readonly open: (options: ExecutorOptions) => Engine;
}

/**
 * Runs tasks in threads or processes, one at a time in each. One that dies takes only its own task with it, which goes
 * back to the queue and counts as tried; another takes its place.
 */
export class WorkersPool implements Pool {
  readonly name: string;
  readonly concurrency: number;
  readonly #options: WorkersPoolOptions;
  readonly #stopping = new AbortController();
  #engine: Engine | undefined;
  #reopening: Promise<void> | undefined;

  constructor(options: WorkersPoolOptions) {
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

  run(job: Job): Run {
    const abort = new AbortController();
    return { outcome: this.#run(job, abort.signal), abort: (reason) => abort.abort(reason) };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const engine = this.#engine;
    if (engine === undefined) return;
    engine.close();
    await engine.join({ timeout: lastGrace }).catch(() => engine.terminate('SIGKILL'));
  }

  async #run(job: Job, signal: AbortSignal): Promise<Outcome> {
    for (;;) {
      const engine = this.#engine!;
      try {
        return await call(engine, job, signal);
      } catch (error) {
        if (error instanceof BrokenExecutor && !this.#stopping.signal.aborted) {
          await (this.#reopening ??= this.#reopen(error));
          continue;
        }
        return { kind: 'lost', reason: signal.aborted ? 'it was told to stop' : messageOf(error) };
      }
    }
  }

  #open(): Engine {
    const { module, loglevel, log, concurrency, open } = this.#options;
    const engine = open({
      maxWorkers: concurrency,
      initializer: child.prepare,
      initargs: [module, loglevel],
      grace,
    });
    engine.on('died', ({ worker }) => {
      if (!this.#stopping.signal.aborted) log.warn(`${worker} died; another takes its place`);
    });
    return engine;
  }

  // Its workers could not be had any more: what waits for them must not be counted as tried for that.
  async #reopen(error: Error): Promise<void> {
    const { log } = this.#options;
    let failure: unknown = error;
    for (let delay = 0.1; !this.#stopping.signal.aborted; delay = Math.min(delay * 2, 5)) {
      log.error(`cannot start a worker ${this.name}, trying again: ${messageOf(failure)}`);
      await pause(delay, this.#stopping.signal);
      this.#engine = this.#open();
      try {
        await this.#engine.ready();
        break;
      } catch (again) {
        failure = again;
      }
    }
    this.#reopening = undefined;
  }
}

function call(engine: Engine, job: Job, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const sink = { fulfil: (outcome: unknown) => resolve(outcome as Outcome), fail: reject };
    engine.call(child.run, [job], sink, { signal });
  });
}
