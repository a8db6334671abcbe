import { UnsupportedError } from '../base/errors.ts';
import type { Simul } from '../tasks/app.ts';
import type { PoolName } from '../tasks/task.ts';
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
    case 'threads': {
      const { ThreadPool } = await import('./pools/threads.ts');
      return new ThreadPool(concurrency, appModule(name, settings), services, log);
    }
    default:
      throw new UnsupportedError(`the pool "${name}" is not there yet; async, threads and solo are`);
  }
}

function appModule(name: string, settings: WorkerSettings): string {
  if (settings.module !== undefined) return settings.module;
  throw new UnsupportedError(
    `the pool "${name}" imports the app again in each of its workers: pass { module: import.meta.url } of the module that exports it`,
  );
}
