import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Simul } from '../../../src/entry/index.ts';
import type { Queue } from './queue.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));
const jobs = fileURLToPath(new URL('./jobs.js', import.meta.url));
const tuning = { concurrency: 1000, 'prefetch-multiplier': 1 };

/** Ours as anyone would run it: the public API here, `simul worker` there. */
export async function simulQueue(directory: string): Promise<Queue> {
  mkdirSync(directory);
  const url = `sqlite://${join(directory, 'tasks.db')}`;
  const app = new Simul('bench', { broker: url, backend: url });
  if (app.brokerUrl !== url)
    throw new Error('SIMUL_BROKER_URL is set: unset it, this area measures the embedded broker');
  const add = app.task('bench.add', (x: number) => x + 1);
  let worker: WorkerProcess | undefined;
  const stopWorker = async () => {
    if (worker === undefined) return;
    const it = worker;
    worker = undefined;
    await it.stop();
  };
  return {
    settings: { pool: 'async', ...tuning, synchronous: 'FULL' },
    add: async (x) => (await add.delay(x)).id,
    addMany: async (xs) => (await add.applyMany(xs.map((x) => [x]))).map(({ id }) => id),
    startWorker: async () => {
      worker = await startWorker(url);
    },
    stopWorker,
    remaining: async () => {
      const sizes = await (await app.broker()).sizes(['celery']);
      return sizes.reduce((sum, { waiting, claimed }) => sum + waiting + claimed, 0);
    },
    results: (ids) => Promise.all(ids.map((id) => app.AsyncResult<number>(id).get())),
    [Symbol.asyncDispose]: async () => {
      await stopWorker();
      await app.close();
    },
  };
}

async function startWorker(url: string): Promise<WorkerProcess> {
  const options = Object.entries(tuning).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const args = [main, 'worker', '-A', jobs, '-P', 'async', '-l', 'warning', ...options];
  const env = { ...process.env, SIMUL_BROKER_URL: url, SIMUL_RESULT_BACKEND: url };
  const worker = new WorkerProcess(spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] }));
  await worker.ready;
  return worker;
}

/** `simul worker`, which tells in its banner when it takes tasks, and on stderr what it has to complain about. */
class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly ready: Promise<void>;
  #said = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'close').then(([code]) => code as number | null);
    this.ready = new Promise((resolve, reject) => {
      child.stderr!.on('data', (chunk: Buffer) => {
        this.#said += chunk.toString();
        if (/^ {2}queues /m.test(this.#said)) resolve();
      });
      void this.#ended.then(() => reject(new Error(`the worker did not start: ${this.#said}`)));
    });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const code = await this.#ended;
    if (code !== 0) throw new Error(`the worker ended with ${code}: ${this.#said}`);
  }
}
