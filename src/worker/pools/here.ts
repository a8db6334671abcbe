import type { CallContext } from '../../callable/context.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import { LoopEngine } from '../../futures/engine/loop-engine.ts';
import type { ExecutorOptions } from '../../futures/options.ts';
import type { Simul } from '../../tasks/app.ts';
import type { TaskLogger, TaskRequest, TaskServices } from '../../tasks/context.ts';
import { execute, progressDocument } from '../execution.ts';
import type { Job, Outcome } from '../job.ts';
import type { PoolServices } from '../pool.ts';

/** What runs tasks on the event loop of the worker itself. */
export interface Here {
  readonly run: (job: Job) => Outcome | Promise<Outcome>;
  readonly open: (options: ExecutorOptions) => LoopEngine;
}

/** The engine of the pools `async` and `solo`, and how it runs a task. */
export function runsHere(app: Simul, services: PoolServices, logger: TaskLogger): Here {
  // The task has its signal from its context: a second asynchronous context would only cost.
  const run = (job: Job, call?: CallContext): Outcome | Promise<Outcome> =>
    execute(app, job, new LocalServices(services, logger, call!));
  const enter = (fn: AnyFunction, args: readonly unknown[], call: CallContext) =>
    (fn as typeof run)(args[0] as Job, call);
  return { run, open: (options) => new LoopEngine({ ...options, enter }) };
}

/** The services of a run in this very thread. Its signal is made when the task first asks for it. */
class LocalServices implements TaskServices {
  readonly logger: TaskLogger;
  readonly #services: PoolServices;
  readonly #call: CallContext;

  constructor(services: PoolServices, logger: TaskLogger, call: CallContext) {
    this.#services = services;
    this.logger = logger;
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  storeState(request: TaskRequest, state: string, meta: unknown): Promise<void> {
    return this.#services.storeState(request.id, state, progressDocument(request, state, meta));
  }
}
