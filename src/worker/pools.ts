import { InvalidArgumentError, UnsupportedError } from '../base/errors.ts';
import type { Engine } from '../futures/engine/engine.ts';
import type { ExecutorOptions } from '../futures/options.ts';
import type { Simul } from '../tasks/app.ts';
import type { PoolName } from '../tasks/task.ts';
import { poolNames } from '../tasks/task.ts';
import type { Log } from './log.ts';
import type { WorkerSettings } from './options.ts';
import { defaultConcurrency } from './options.ts';
import type { Pool, PoolServices } from './pool.ts';

export interface PoolParts {
  readonly app: Simul;
  readonly settings: WorkerSettings;
  readonly services: PoolServices;
  readonly log: Log;
}

/** Makes a pool by name. The worker's own has its concurrency, one that single tasks ask for its default. */
export async function makePool(name: PoolName, parts: PoolParts): Promise<Pool> {
  const { app, settings, services, log } = parts;
  const concurrency = name === settings.pool ? settings.concurrency : defaultConcurrency(name);
  switch (name) {
    case 'async':
    case 'solo': {
      const { AsyncPool } = await import('./pools/async.ts');
      return new AsyncPool(name, concurrency, app, services, log);
    }
    case 'threads':
    case 'processes':
    case 'prefork': {
      const module = appModule(name, settings);
      const { WorkersPool } = await import('./pools/workers.ts');
      const open = await engineOf(name, module);
      return new WorkersPool({ name, concurrency, module, loglevel: settings.loglevel, log, open });
    }
    default:
      throw new InvalidArgumentError('pool', name, `one of ${poolNames.join(', ')}`);
  }
}

async function engineOf(
  name: 'threads' | 'processes' | 'prefork',
  module: string,
): Promise<(options: ExecutorOptions) => Engine> {
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
