import type { Simul } from '../../tasks/app.ts';
import type { TaskLogger, TaskRequest, TaskServices } from '../../tasks/context.ts';
import type { Job } from '../job.ts';
import { execute, progressDocument } from '../execution.ts';
import type { Pool, PoolServices, Run } from '../pool.ts';

/** Runs tasks on the event loop of the worker itself, many at a time; `solo` is the same with one at a time. */
export class AsyncPool implements Pool {
  readonly name: string;
  readonly concurrency: number;
  readonly #app: Simul;
  readonly #services: PoolServices;
  readonly #logger: TaskLogger;

  constructor(name: 'async' | 'solo', concurrency: number, app: Simul, services: PoolServices, logger: TaskLogger) {
    this.name = name;
    this.concurrency = name === 'solo' ? 1 : concurrency;
    this.#app = app;
    this.#services = services;
    this.#logger = logger;
  }

  async start(): Promise<void> {}

  run(job: Job): Run {
    const local = new LocalServices(this.#services, this.#logger);
    return { outcome: execute(this.#app, job, local), abort: (reason) => local.abort(reason) };
  }

  async stop(): Promise<void> {}
}

/** The services of a run in this very thread. Its AbortController is made when the task first asks for the signal. */
export class LocalServices implements TaskServices {
  readonly logger: TaskLogger;
  readonly #services: PoolServices;
  #controller: AbortController | undefined;

  constructor(services: PoolServices, logger: TaskLogger) {
    this.#services = services;
    this.logger = logger;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  storeState(request: TaskRequest, state: string, meta: unknown): Promise<void> {
    return this.#services.storeState(request.id, state, progressDocument(request, state, meta));
  }
}
