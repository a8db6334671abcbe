import { currentSignal } from '../../callable/context.ts';
import { importModule } from '../../callable/module.ts';
import { NotFoundError, UnsupportedError } from '../../base/errors.ts';
import type { Simul } from '../../tasks/app.ts';
import { findApp } from '../../tasks/find-app.ts';
import type { TaskServices } from '../../tasks/context.ts';
import type { Job, Outcome } from '../job.ts';
import { execute, progressDocument } from '../execution.ts';
import type { Log, LogLevel } from '../log.ts';
import { openLog } from '../log.ts';

let parts: { app: Simul; log: Log } | undefined;

/** Imports the app in this thread or process; called once, before the first run. */
export async function prepare(module: string, loglevel: LogLevel): Promise<void> {
  const app = findApp(await importModule(module));
  if (app === undefined) throw new NotFoundError(`${module} exports no app`);
  parts = { app, log: await openLog({ level: loglevel }) };
}

/** Runs one task here. Its states go to the backend by a connection of this thread's own. */
export async function run(job: Job): Promise<Outcome> {
  const { app, log } = parts!;
  const services: TaskServices = {
    signal: currentSignal(),
    logger: log,
    storeState: async (request, state, meta) => {
      const backend = await app.backend();
      if (!backend.capabilities.shared) {
        throw new UnsupportedError(
          'a memory:// backend cannot be reached from a thread or process of a pool; sqlite:// can',
        );
      }
      await backend.store([{ id: request.id, state, document: progressDocument(request, state, meta) }]);
    },
  };
  return execute(app, job, services);
}
