import { InvalidArgumentError, UnsupportedError } from '../base/errors.ts';
import { fromModule } from '../callable/from-module.ts';
import type { CallEngine } from '../futures/engine/call-engine.ts';
import type { ExecutorOptions } from '../futures/options.ts';
import type { Simul } from '../tasks/app.ts';
import type { PoolName } from '../tasks/task.ts';
import { poolNames } from '../tasks/task.ts';
import type { Log } from './log.ts';
import type { WorkerSettings } from './options.ts';
import { defaultConcurrency } from './options.ts';
import type { Pool, PoolServices } from './pool.ts';
import type { EnginePoolOptions } from './pools/engine-pool.ts';

export interface PoolParts {
  readonly app: Simul;
  readonly settings: WorkerSettings;
  readonly services: PoolServices;
  readonly log: Log;
}

/** Makes a pool by name. The worker's own has its concurrency, one that single tasks ask for its default. */
export async function makePool(name: PoolName, parts: PoolParts): Promise<Pool> {
  const { settings, services, log } = parts;
  if (!poolNames.includes(name)) throw new InvalidArgumentError('pool', name, `one of ${poolNames.join(', ')}`);
  const concurrency = name === settings.pool ? settings.concurrency : defaultConcurrency(name);
  const stuck = (worker: string) => {
    if (name === 'threads') services.stuck(worker);
    else log.warn(`${worker} has a task that was told to stop and goes on`);
  };
  const kind = name === 'async' || name === 'solo' ? await here(name, parts) : await elsewhere(name, settings);
  const { EnginePool } = await import('./pools/engine-pool.ts');
  return new EnginePool({ name, concurrency, log, stuck, ...kind });
}

type Kind = Pick<EnginePoolOptions, 'run' | 'open' | 'initializer' | 'initargs'> & { readonly concurrency?: number };

async function here(name: 'async' | 'solo', { app, services, log }: PoolParts): Promise<Kind> {
  const { runsHere } = await import('./pools/here.ts');
  const { run, open } = runsHere(app, services, log);
  return name === 'solo' ? { run, open, concurrency: 1 } : { run, open };
}

async function elsewhere(name: 'threads' | 'processes' | 'prefork', settings: WorkerSettings): Promise<Kind> {
  const module = appModule(name, settings);
  const { prepare, run } = fromModule<typeof import('./pools/child.ts')>(new URL('./pools/child.js', import.meta.url));
  return { run, initializer: prepare, initargs: [module, settings.loglevel], open: await engineOf(name, module) };
}

async function engineOf(
  name: 'threads' | 'processes' | 'prefork',
  module: string,
): Promise<(options: ExecutorOptions) => CallEngine> {
  if (name === 'threads') return (await import('../futures/thread-pool-executor.ts')).threadEngine;
  const { processEngine } = await import('../futures/process-pool-executor.ts');
  if (name === 'processes') return (options) => processEngine({ ...options, startMethod: 'spawn' });
  const { preloadInForkserver } = await import('../multiprocessing/forkserver.ts');
  return (options) => {
    preloadInForkserver(module);
    return processEngine({ ...options, startMethod: 'forkserver' });
  };
}

function appModule(name: string, settings: WorkerSettings): string {
  if (settings.module !== undefined) return settings.module;
  throw new UnsupportedError(
    `the pool "${name}" imports the app again in each of its workers: pass { module: import.meta.url } of the module that exports it`,
  );
}
