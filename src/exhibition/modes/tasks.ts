import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResourceStack } from '../../base/dispose.ts';
import { BrokenError } from '../../base/errors.ts';
import { fromModule } from '../../callable/from-module.ts';
import { ProcessHost } from '../../callable/process-host.ts';
import { Simul } from '../../tasks/app.ts';
import type { MastersOptions, OpenMasters } from './mode.ts';

const { startWorker, stopWorker } = fromModule<typeof import('./tasks-worker.ts')>(
  new URL('./tasks-worker.js', import.meta.url),
);

/** Masters behind the embedded broker: a worker in a process of its own, with a thread for each of them. */
export async function openTasks({ workers, nodes }: MastersOptions): Promise<OpenMasters> {
  const resources = new ResourceStack();
  try {
    const directory = resources.own(mkdtempSync(join(tmpdir(), 'simul-demo-')), remove);
    const url = `sqlite://${join(directory, 'exhibition.db')}`;
    const host = new ProcessHost({ env: { ...process.env, ...variables(url) } });
    resources.defer(async () => void (await host.terminate()));
    const app = resources.own(embeddedApp(url), (app) => app.close());
    const ended = new AbortController();
    void host.exited.then(() => ended.abort(new BrokenError('the worker process has ended')));
    await host.call(startWorker, [workers]);
    resources.defer(() => (ended.signal.aborted ? undefined : host.call(stopWorker, [])));
    return {
      count: workers,
      think: async (position) => {
        const result = await app.sendTask('demo.think', [position, nodes]);
        return (await result.get({ timeout: patience, signal: ended.signal })) as string;
      },
      [Symbol.asyncDispose]: () => resources.dispose(),
    };
  } catch (error) {
    await resources.dispose();
    throw error;
  }
}

// Seconds for one move, on a machine however busy; only a defect takes longer.
const patience = 120;

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

function variables(url: string) {
  return { SIMUL_BROKER_URL: url, SIMUL_RESULT_BACKEND: url };
}

// The environment overrides what an app names, and whoever watches a demonstration does not expect it to play on the
// servers of the shop.
function embeddedApp(url: string): Simul {
  const before = { ...process.env };
  Object.assign(process.env, variables(url));
  try {
    return new Simul('exhibition');
  } finally {
    for (const name of Object.keys(variables(url))) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
