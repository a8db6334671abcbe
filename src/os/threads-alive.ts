import { readdirSync } from 'node:fs';
import { registerAtFork } from './at-fork.ts';

// Threads seen when there was certainly no worker among them.
let harmless = new Set<string>();

/**
 * Why JavaScript threads of this process forbid a fork, or `undefined`: in the child they would not exist, and be
 * waited for. Node's report is the only list that is complete (workers made before this module was loaded, and the
 * hidden thread of module hooks); it takes milliseconds, so it is asked only when a thread is new.
 */
export function runningThreads(): string | undefined {
  const threads = readdirSync('/proc/self/task');
  if (threads.every((thread) => harmless.has(thread))) return undefined;
  const count = countWorkers();
  if (count > 0) {
    return (
      `fork() is not possible while other JavaScript threads run (${count} here): end the worker threads first, or fork ` +
      'before starting them; if none is yours, a loader has registered module hooks (module.register, --loader): run without it'
    );
  }
  harmless = new Set(threads);
  return undefined;
}

registerAtFork({
  afterInChild: () => {
    harmless = new Set(readdirSync('/proc/self/task'));
  },
});

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
