import { fileURLToPath } from 'node:url';
import { Simul } from '../../../src/entry/index.ts';
import type { AsyncResult } from '../../../src/tasks/result.ts';
import { check, inLanes, oneByOne } from './lanes.ts';
import type { Queue, QueueMaker } from './queue.ts';
import type { RedisServer } from './redis-server.ts';
import { WorkerProcess } from './worker-process.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));
const jobs = fileURLToPath(new URL('./jobs.js', import.meta.url));

/** Ours as anyone would run it: the public API here, `simul worker` there, with its defaults but for what is swept. */
export const simul: QueueMaker = {
  name: 'ours',
  tunings: [{ concurrency: 1000 }, { concurrency: 400 }, { concurrency: 200 }],
  make: async (server, tuning) => new SimulQueue(server, tuning),
};

class SimulQueue implements Queue {
  readonly settings: Queue['settings'];
  readonly #server: RedisServer;
  readonly #tuning: Readonly<Record<string, number>>;
  readonly #app: Simul;
  readonly #add;
  #sent: AsyncResult<number>[] = [];
  #worker: WorkerProcess | undefined;

  constructor(server: RedisServer, tuning: Readonly<Record<string, number>>) {
    this.#server = server;
    this.#tuning = tuning;
    this.settings = { ...tuning, pool: 'async' };
    this.#app = new Simul('bench', { broker: server.url, backend: server.url });
    this.#add = this.#app.task('bench.add', (x: number) => x + 1);
  }

  enqueue(n: number, concurrency: number): Promise<number> {
    return inLanes(n, concurrency, async (x) => (this.#sent[x] = await this.#add.delay(x)));
  }

  async enqueueBulk(n: number, results: boolean): Promise<number> {
    this.#sent = [];
    return inLanes(Math.ceil(n / 1000), 1, async (part) => {
      const args = Array.from({ length: Math.min(1000, n - part * 1000) }, (_, i): [number] => [part * 1000 + i]);
      this.#sent.push(...(await this.#add.applyMany(args, { ignoreResult: !results })));
    });
  }

  roundTrips(n: number, concurrency: number): Promise<number> {
    return inLanes(n, concurrency, (x) => this.#roundTrip(x));
  }

  latencies(n: number): Promise<number[]> {
    return oneByOne(n, (x) => this.#roundTrip(x));
  }

  async #roundTrip(x: number): Promise<void> {
    check(x, await (await this.#add.delay(x)).get({ timeout: 60 }));
  }

  async startWorker(): Promise<void> {
    const options = Object.entries(this.#tuning).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const args = [main, 'worker', '-A', jobs, '-l', 'warning', ...options];
    const env = { SIMUL_BROKER_URL: this.#server.url, SIMUL_RESULT_BACKEND: this.#server.url };
    this.#worker = new WorkerProcess(process.execPath, args, env);
    await this.#worker.said(/^ {2}queues /m);
  }

  async stopWorker(): Promise<number> {
    if (this.#worker === undefined) return 0;
    const said = await this.#worker.stop();
    this.#worker = undefined;
    return Number(/^runs: (\d+)$/m.exec(said)?.[1]);
  }

  async remaining(): Promise<number> {
    const [waiting, claimed] = await Promise.all([
      this.#server.call<number>('LLEN', 'celery'),
      this.#server.call<number>('HLEN', 'unacked'),
    ]);
    return waiting + claimed;
  }

  async results(n: number): Promise<(number | undefined)[]> {
    const stored = await (await this.#app.backend()).fetch(this.#sent.slice(0, n).map(({ id }) => id));
    return stored.map((one) => {
      const { status, result } = JSON.parse(one?.document ?? '{}') as { status?: string; result?: number };
      return status === 'SUCCESS' ? result : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.stop();
    await this.#app.close();
  }
}
