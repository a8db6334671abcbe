import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { availableParallelism } from 'node:os';
import { pythonWith } from '../../../tools/programs.ts';
import type { Queue, QueueMaker } from './queue.ts';
import type { RedisServer } from './redis-server.ts';
import { WorkerProcess } from './worker-process.ts';

// The Python file is no product of the compiler.
const folder = resolve(import.meta.dirname, '../../../../bench/areas/queue-redis');
const processes = availableParallelism();

/** Celery with its default pool, prefork, one process a core; client and worker are Python processes of their own. */
export const celery: QueueMaker = {
  name: 'celery',
  tunings: [{ prefetch: 16 }, { prefetch: 4 }, { prefetch: 64 }],
  make: async (server, tuning) => new CeleryQueue(pythonWith('celery'), server, tuning),
};

class CeleryQueue implements Queue {
  readonly settings: Queue['settings'];
  readonly #python: string;
  readonly #server: RedisServer;
  readonly #env: NodeJS.ProcessEnv;
  readonly #client: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #worker: WorkerProcess | undefined;

  constructor(python: string, server: RedisServer, tuning: Readonly<Record<string, number>>) {
    this.#python = python;
    this.#server = server;
    this.settings = { version: '5.6', pool: 'prefork', processes, ...tuning };
    this.#env = { BENCH_REDIS: server.url, BENCH_PREFETCH: String(tuning['prefetch']), PYTHONPATH: folder };
    const env = { ...process.env, ...this.#env };
    this.#client = spawn(python, [resolve(folder, 'celery_peer.py')], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#client.stdout! })[Symbol.asyncIterator]();
  }

  // A Python client sends one after the other: threads only add to the cost.
  enqueue(n: number): Promise<number> {
    return this.#ask('enqueue', n);
  }

  enqueueBulk(n: number, results: boolean): Promise<number> {
    return this.#ask('enqueue', n, results);
  }

  roundTrips(n: number): Promise<number> {
    return this.#ask('round_trips', n);
  }

  latencies(n: number): Promise<number[]> {
    return this.#ask('latencies', n);
  }

  async startWorker(): Promise<void> {
    const options = ['--without-gossip', '--without-mingle', '-c', String(processes), '-l', 'WARNING'];
    const args = ['-m', 'celery', '-A', 'celery_peer', 'worker', ...options];
    // At INFO its log of every task would cost it more than the tasks do.
    this.#worker = new WorkerProcess(this.#python, args, this.#env);
    await this.#ready();
  }

  // Quiet as it is, it answers when it is there.
  async #ready(): Promise<void> {
    while ((await this.#ask<number>('ready')) !== 1);
  }

  async stopWorker(): Promise<number> {
    const worker = this.#worker;
    if (worker === undefined) return 0;
    this.#worker = undefined;
    try {
      return await this.#ask<number>('runs');
    } finally {
      await worker.stop();
    }
  }

  async remaining(): Promise<number> {
    const [waiting, claimed] = await Promise.all([
      this.#server.call<number>('LLEN', 'celery'),
      this.#server.call<number>('HLEN', 'unacked'),
    ]);
    return waiting + claimed;
  }

  results(n: number): Promise<(number | undefined)[]> {
    return this.#ask('results', n);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.stop();
    const ended = once(this.#client, 'close');
    this.#client.stdin!.end();
    await ended;
  }

  async #ask<T>(name: string, ...args: unknown[]): Promise<T> {
    this.#client.stdin!.write(`${JSON.stringify([name, ...args])}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the Python client has ended');
    return JSON.parse(value) as T;
  }
}
