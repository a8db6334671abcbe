import { fileURLToPath } from 'node:url';
import { peerVersion } from '../../peers.ts';
import type { BullJob, BullmqModule, BullQueue } from './bullmq-peer.ts';
import { loadBullmq, queueName } from './bullmq-peer.ts';
import { check, inLanes, oneByOne } from './lanes.ts';
import type { Queue, QueueMaker } from './queue.ts';
import type { RedisServer } from './redis-server.ts';
import { WorkerProcess } from './worker-process.ts';

const program = fileURLToPath(new URL('./bullmq-worker.js', import.meta.url));

/** BullMQ: one Queue and one QueueEvents here, one Worker there; completed jobs are kept where results are asked for. */
export const bullmq: QueueMaker = {
  name: 'bullmq',
  tunings: [{ concurrency: 100 }, { concurrency: 20 }, { concurrency: 50 }, { concurrency: 300 }],
  make: async (server, tuning) => new BullmqQueue(await loadBullmq(), server, tuning),
};

class BullmqQueue implements Queue {
  readonly settings: Queue['settings'];
  readonly #library: BullmqModule;
  readonly #server: RedisServer;
  readonly #concurrency: number;
  readonly #queue: BullQueue;
  readonly #connection: object;
  #sent: BullJob[] = [];
  #worker: WorkerProcess | undefined;

  constructor(library: BullmqModule, server: RedisServer, tuning: Readonly<Record<string, number>>) {
    this.#library = library;
    this.#server = server;
    this.#concurrency = tuning['concurrency']!;
    this.settings = { version: peerVersion('bullmq'), ...tuning };
    this.#connection = { host: '127.0.0.1', port: server.port };
    this.#queue = new library.Queue(queueName, { connection: this.#connection });
  }

  enqueue(n: number, concurrency: number): Promise<number> {
    return inLanes(n, concurrency, async (x) => (this.#sent[x] = await this.#queue.add('add', { x }, {})));
  }

  async enqueueBulk(n: number, results: boolean): Promise<number> {
    this.#sent = [];
    const opts = results ? {} : { removeOnComplete: true };
    return inLanes(Math.ceil(n / 1000), 1, async (part) => {
      const jobs = Array.from({ length: Math.min(1000, n - part * 1000) }, (_, i) => ({
        name: 'add',
        data: { x: part * 1000 + i },
        opts,
      }));
      this.#sent.push(...(await this.#queue.addBulk(jobs)));
    });
  }

  roundTrips(n: number, concurrency: number): Promise<number> {
    return this.#withEvents((events) => inLanes(n, concurrency, (x) => this.#roundTrip(x, events)));
  }

  latencies(n: number): Promise<number[]> {
    return this.#withEvents((events) => oneByOne(n, (x) => this.#roundTrip(x, events)));
  }

  async #withEvents<T>(work: (events: object) => Promise<T>): Promise<T> {
    const events = new this.#library.QueueEvents(queueName, { connection: this.#connection });
    await events.waitUntilReady();
    try {
      return await work(events);
    } finally {
      await events.close();
    }
  }

  async #roundTrip(x: number, events: object): Promise<void> {
    check(x, await (await this.#queue.add('add', { x }, {})).waitUntilFinished(events));
  }

  async startWorker(): Promise<void> {
    const args = [program, String(this.#server.port), String(this.#concurrency)];
    this.#worker = new WorkerProcess(process.execPath, args, {});
    await this.#worker.said(/^ready$/m);
  }

  async stopWorker(): Promise<number> {
    if (this.#worker === undefined) return 0;
    const said = await this.#worker.stop();
    this.#worker = undefined;
    return Number(/^runs: (\d+)$/m.exec(said)?.[1]);
  }

  async remaining(): Promise<number> {
    const [waiting, active] = await Promise.all([
      this.#server.call<number>('LLEN', `bull:${queueName}:wait`),
      this.#server.call<number>('LLEN', `bull:${queueName}:active`),
    ]);
    return waiting + active;
  }

  async results(n: number): Promise<(number | undefined)[]> {
    const jobs = this.#sent.slice(0, n);
    const values = jobs.map(({ id }) =>
      this.#server.call<string | null>('HGET', `bull:${queueName}:${id}`, 'returnvalue'),
    );
    return (await Promise.all(values)).map((value) => (value === null ? undefined : Number(value)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.stop();
    await this.#queue.close();
  }
}
