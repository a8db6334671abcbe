import type { Host } from '../callable/host.ts';
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
    case 'threads':
    case 'processes': {
      const { HostPool } = await import('./pools/hosts.ts');
      const startHost = await hostStarter(name);
      const module = appModule(name, settings);
      return new HostPool({ name, concurrency, module, loglevel: settings.loglevel, log, startHost });
    }
    default:
      throw new UnsupportedError(`the pool "${name}" is not there yet; async, threads, processes and solo are`);
  }
}

async function hostStarter(name: 'threads' | 'processes'): Promise<() => Host> {
  if (name === 'threads') {
    const { ThreadHost } = await import('../callable/thread-host.ts');
    return () => new ThreadHost();
  }
  const { ProcessHost } = await import('../callable/process-host.ts');
  return () => new ProcessHost();
}

function appModule(name: string, settings: WorkerSettings): string {
  if (settings.module !== undefined) return settings.module;
  throw new UnsupportedError(
    `the pool "${name}" imports the app again in each of its workers: pass { module: import.meta.url } of the module that exports it`,
  );
}
