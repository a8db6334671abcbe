import { messageOf } from '../base/error-text.ts';
import { ClosedError } from '../base/errors.ts';
import type { Simul } from '../tasks/app.ts';
import { redactUrl } from '../tasks/url.ts';
import type { PoolName } from '../tasks/task.ts';
import { leave } from '../worker/leave.ts';
import type { LogLevel } from '../worker/log.ts';
import { Worker } from '../worker/worker.ts';
import { runAgain } from './again.ts';
import type { AppOptions } from './app.ts';
import { CrashReport } from './crash-report.ts';
import { Failure } from './exit.ts';
import { StopSignals } from './stop-signals.ts';

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
  let again = false;
  let code = 1;
  // The worker decides, who knows all that has told it to stop. It starts anew from here, where all has been released.
  const worker = new Worker(app, { ...flags, module, restart: () => (again = true) });
  using signals = new StopSignals(worker, flags.quiet === true);
  using _ = new CrashReport(worker);
  try {
    await started(worker, signals, () => banner(app, worker, flags));
    const reason = await worker.stopped;
    if (reason.error !== undefined) {
      // A run that did not listen when it was told to stop may go on for ever.
      throw new Failure(`the worker stopped: ${reason.why}: ${messageOf(reason.error)}`, 1, true);
    }
    return (code = signals.exitCode);
  } catch (error) {
    if (worker.stuck.length > 0) process.stderr.write(`simul: ${messageOf(error)}\n`);
    throw error;
  } finally {
    try {
      await app.close();
    } finally {
      if (worker.stuck.length > 0) {
        // It calls `restart` right after it has told that it stopped.
        await new Promise(setImmediate);
        leaveThread(again && !signals.asked, code);
      }
    }
  }
}

// A process with a thread that cannot be ended does not end by itself, nor by process.exit.
function leaveThread(again: boolean, code: number): never {
  if (!again) leave(code);
  process.stderr.write('simul: starting anew\n');
  runAgain();
}

async function started(worker: Worker, signals: StopSignals, ready: () => void): Promise<void> {
  try {
    await worker.start();
    ready();
  } catch (error) {
    // A stop that was asked for in the meantime is no failure.
    if (!(error instanceof ClosedError) || !signals.asked) throw error;
  }
}

function banner(app: Simul, worker: Worker, flags: WorkerFlags): void {
  if (flags.quiet === true) return;
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
  process.stderr.write(`${lines.join('\n')}\n`);
}
