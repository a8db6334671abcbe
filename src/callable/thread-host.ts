import type { ResourceLimits, WorkerOptions } from 'node:worker_threads';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { threadExecArgv } from './child-options.ts';
import { checkMayStart, threadMark } from './guard.ts';
import type { Response } from './protocol.ts';
import type { Endpoint } from './remote-host.ts';
import { RemoteHost } from './remote-host.ts';

/** How the thread is started. */
export interface ThreadHostOptions {
  /** Environment variables of the thread; by default a copy of ours. */
  readonly env?: NodeJS.ProcessEnv | typeof SHARE_ENV;
  /** Node options of the thread; by default ours. */
  readonly execArgv?: readonly string[];
  /** Does not keep the program alive even while it runs something. */
  readonly daemon?: boolean;
  /** Bounds of heap and stack in MB; they do not bound Buffers. */
  readonly resourceLimits?: ResourceLimits;
}

/**
 * A worker thread that runs functions. Choose it for CPU work and for buffers to be moved or shared; a ProcessHost
 * isolates better. It starts at once.
 *
 * @throws InvalidStateError when a worker starts it only because it imports the program: guard main with `isWorker()`.
 * @example
 * await using host = new ThreadHost();
 * await host.call((x: number) => x * x, [12]); // 144
 */
export class ThreadHost extends RemoteHost {
  /** Node's number of the thread. */
  readonly threadId: number;

  constructor(options: ThreadHostOptions = {}) {
    checkMayStart('thread');
    const worker = startThread(options);
    super(endpointOf(worker, options.daemon ?? false));
    this.threadId = worker.threadId;
  }
}

function startThread({ env, execArgv, resourceLimits }: ThreadHostOptions): Worker {
  const options: WorkerOptions = { workerData: { [threadMark]: true } };
  if (env !== undefined) options.env = env;
  if (resourceLimits !== undefined) options.resourceLimits = resourceLimits;
  const named = execArgv ?? threadExecArgv(process.execArgv);
  if (named !== undefined) options.execArgv = [...named];
  return new Worker(new URL('./thread-main.js', import.meta.url), options);
}

function endpointOf(worker: Worker, daemon: boolean): Endpoint {
  return {
    name: `thread ${worker.threadId}`,
    kind: 'thread',
    post: (batch, moved) => worker.postMessage(batch, moved),
    hold: (held) => (held && !daemon ? worker.ref() : worker.unref()),
    kill: () => void worker.terminate(),
    listen: (respond, exit) => {
      let uncaught: { error?: unknown } = {};
      worker.on('message', (batch: readonly Response[]) => respond(batch));
      worker.on('error', (error) => (uncaught = { error }));
      // An answer that cannot be read leaves its call without one for ever.
      worker.on('messageerror', (error) => {
        uncaught = { error };
        void worker.terminate();
      });
      worker.on('exit', (code) => exit({ code, signal: null, ...uncaught }));
    },
  };
}
