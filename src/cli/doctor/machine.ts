import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { sleep } from '../../asyncio/sleep.ts';
import { run } from '../../asyncio/run.ts';
import { TaskGroup } from '../../asyncio/task-group.ts';
import type { Host } from '../../callable/host.ts';
import type { Probe } from './finding.ts';
import { timed } from './finding.ts';

/** The same function inline, on the event loop, in a thread and in a process. */
export function machineProbes(): Probe[] {
  return [
    { tier: 'runtime', part: 'node', run: node },
    { tier: 'runtime', part: 'cores', run: () => `${availableParallelism()}` },
    { tier: 'runtime', part: 'typescript modules', run: () => `transformed by esbuild ${versionOf('esbuild')}` },
    { tier: 'inline', part: 'a call', run: () => timed('call to result', async () => check(add(2, 3))) },
    { tier: 'event loop', part: 'asyncio', run: eventLoop },
    { tier: 'thread', part: 'worker thread', run: thread },
    { tier: 'process', part: 'child process', run: childProcess },
  ];
}

function node(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new Error(`${process.version}; 20.19 or newer is needed`);
  return `${process.version} on ${process.platform} ${process.arch}`;
}

export function versionOf(library: string): string {
  return (createRequire(import.meta.url)(`${library}/package.json`) as { version: string }).version;
}

// Crosses to threads and processes by its source: it has no free variables.
function add(x: number, y: number): number {
  return x + y;
}

function check(sum: number): void {
  if (sum !== 5) throw new Error(`2 + 3 came back as ${sum}`);
}

function eventLoop(): Promise<string> {
  return timed('100 tasks at once', () =>
    run(async () => {
      const tasks = await TaskGroup.run((group) =>
        Array.from({ length: 100 }, (_, n) => group.createTask(() => sleep(0.001, n))),
      );
      const sum = tasks.reduce((total, task) => total + task.result(), 0);
      if (sum !== 4950) throw new Error(`100 tasks gave ${sum}, not 4950`);
    }),
  );
}

async function thread(): Promise<string> {
  const { ThreadHost } = await import('../../callable/thread-host.ts');
  return roundTrip(() => new ThreadHost());
}

async function childProcess(): Promise<string> {
  const { ProcessHost } = await import('../../callable/process-host.ts');
  return roundTrip(() => new ProcessHost());
}

async function roundTrip(start: () => Host): Promise<string> {
  let host: Host | undefined;
  try {
    return await timed('start and call', async () => {
      host = start();
      check(await host.call(add, [2, 3], { signal: AbortSignal.timeout(30_000) }));
    });
  } finally {
    await host?.terminate();
  }
}
