import { messageOf } from '../base/error-text.ts';
import type { Simul } from '../tasks/app.ts';
import { redactUrl } from '../tasks/url.ts';
import type { PoolName } from '../tasks/task.ts';
import type { LogLevel } from '../worker/log.ts';
import { Worker } from '../worker/worker.ts';
import type { AppOptions } from './app.ts';
import { Failure } from './exit.ts';

export interface WorkerFlags extends AppOptions {
  readonly queues?: string[];
  readonly concurrency?: number;
  readonly pool: PoolName;
  readonly hostname?: string;
  readonly loglevel: LogLevel;
  readonly prefetchMultiplier?: number;
  readonly lease?: number;
  readonly retry?: boolean;
  readonly drainTimeout?: number;
  readonly heartbeatInterval?: number;
  readonly logJson?: boolean;
  readonly quiet?: boolean;
}

/** Runs a worker until a signal stops it; resolves with the exit code. */
export async function serve(app: Simul, module: URL, flags: WorkerFlags): Promise<number> {
  const worker = new Worker(app, { ...flags, module });
  const stopping = stopOnSignals(worker, flags);
  await worker.start();
  if (flags.quiet !== true) process.stderr.write(banner(app, worker));
  const reason = await worker.stopped;
  await app.close();
  if (reason.error !== undefined) throw new Failure(`the worker stopped: ${reason.why}: ${messageOf(reason.error)}`);
  return stopping();
}

/** The first signal is warm, the second cold. Returns what tells the exit code. */
function stopOnSignals(worker: Worker, flags: WorkerFlags): () => number {
  let signals = 0;
  let exitCode = 0;
  const handle = (signal: 'SIGTERM' | 'SIGINT') => {
    if (++signals === 1) {
      if (flags.quiet !== true)
        process.stderr.write(`\nsimul: ${signal}: finishing the tasks under way; once more stops at once\n`);
      void worker.stop({ why: `received ${signal}` }).catch(report);
      return;
    }
    exitCode = signal === 'SIGTERM' ? 143 : 130;
    void worker.kill({ why: `received ${signal} twice` }).catch(report);
    // A task that blocks this thread for ever would hold up even a cold stop.
    void worker.stopped.then(() => process.exit(exitCode));
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
  return () => {
    process.off('SIGTERM', handle);
    process.off('SIGINT', handle);
    return exitCode;
  };
}

function report(error: unknown): void {
  process.stderr.write(`simul: ${messageOf(error)}\n`);
}

function banner(app: Simul, worker: Worker): string {
  const { hostname, pool, concurrency, queues } = worker.settings;
  const lines = [
    `${hostname}: ready`,
    `  app      ${app.name} (${app.tasks.size} tasks)`,
    `  broker   ${redactUrl(app.brokerUrl)}`,
    `  results  ${redactUrl(app.backendUrl)}`,
    `  pool     ${pool}, ${concurrency} at a time`,
    `  queues   ${queues.join(', ')}`,
    ...[...app.tasks.keys()].slice(0, 20).map((name, i) => `  ${i === 0 ? 'tasks  ' : '       '}  ${name}`),
    ...(app.tasks.size > 20 ? [`           … and ${app.tasks.size - 20} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
