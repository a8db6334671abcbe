import { readdirSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { isMainThread } from 'node:worker_threads';
import { registerAtFork } from './at-fork.ts';

// Threads that are certainly no workers. Those of the start are judged by the report at the first fork.
let harmless = new Set<string>();
const atStart = new Set(isMainThread && process.platform === 'linux' ? threads() : []);
const workers = new Set<Worker>();
const poolSize = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) || 4;

/**
 * Why JavaScript threads of this process forbid a fork, or `undefined`: in the child they would not exist, and be
 * waited for. Three sources, as none knows all: the `worker` event (a tick late), Node's report (workers made before
 * this module was loaded, and the hidden thread of module hooks; milliseconds, so it is asked only when a thread is new),
 * and a second look when a thread was made in this very tick.
 */
export function runningThreads(): string | undefined {
  const count = workers.size > 0 ? workers.size : unknownWorkers();
  if (count === 0) return undefined;
  return (
    `fork() is not possible while other JavaScript threads run (${count} here): end the worker threads first, or fork ` +
    'before starting them; if none is yours, a loader has registered module hooks (module.register, --loader): run without it'
  );
}

process.on('worker', (worker) => {
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
});

registerAtFork({
  afterInChild: () => {
    aloneSinceFork = true;
  },
});

let aloneSinceFork = false;

function unknownWorkers(): number {
  if (aloneSinceFork) {
    harmless = new Set([String(process.pid)]);
    aloneSinceFork = false;
  }
  const now = threads();
  const fresh = now.filter((thread) => !harmless.has(thread));
  if (fresh.length === 0) return 0;
  let count = countWorkers();
  // libuv's pool appears all at once. Any other thread may be a worker too young to be in the report.
  const young = fresh.filter((thread) => !atStart.has(thread)).length;
  const maybe = young > 0 && young !== poolSize;
  for (let looks = maybe ? 25 : 0; count === 0 && looks > 0; looks--) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    count = countWorkers();
  }
  if (count === 0) harmless = new Set(now);
  return count;
}

function threads(): string[] {
  return readdirSync('/proc/self/task');
}

function countWorkers(): number {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true; // or it looks up the names of all open connections
  try {
    return (report.getReport() as unknown as { workers: unknown[] }).workers.length;
  } finally {
    report.excludeNetwork = before ?? false;
  }
}
