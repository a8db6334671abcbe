import { Worker } from 'node:worker_threads';
import { Pool, ProcessPoolExecutor, ThreadPoolExecutor } from '../../../src/entry/futures.ts';
import { setForkserverPreload } from '../../../src/entry/multiprocessing.ts';
import type { Sample } from '../../harness.ts';
import { throughput } from '../../harness.ts';
import { proveCount } from '../../proof.ts';
import { median, percentile } from '../../statistics.ts';
import type { Contestant, Kind } from './contenders.ts';
import { contestants, workers } from './contenders.ts';
import { echo, tally, work } from './task.ts';

type StartMethod = 'spawn' | 'forkserver';

// Each is run in a process of its own and prints its sample.
const workloads: Readonly<Record<string, (...args: string[]) => Promise<Sample>>> = {
  noop: (kind, name, n, depth) => calls(kind as Kind, name, Number(n), Number(depth), (i) => i),
  '1k': (kind, name, n, depth) => calls(kind as Kind, name, Number(n), Number(depth), kilobytes()),
  delay: (name, seconds) => delay(name, Number(seconds)),
  map: (n) => map(Number(n)),
  depth1: (n) => depth1(Number(n)),
  postMessage: (n) => postMessage(Number(n)),
  recycle: (every, n, size) => cpu({ startMethod: 'forkserver', maxTasksPerChild: Number(every) }, Number(n), size),
  cpu: (startMethod, n, size) => cpu({ startMethod: startMethod as StartMethod }, Number(n), size),
  startup: (startMethod, times) => startup(startMethod as StartMethod, Number(times)),
};

const [name = '', ...args] = process.argv.slice(2);
console.log(JSON.stringify(await workloads[name]!(...args)));

// Enough different ones to show a mix-up, and so few that keeping them costs nothing.
function kilobytes(): (i: number) => string {
  const texts = Array.from({ length: 256 }, (_, i) => `${i} `.padEnd(1024, 'abcdefghij'));
  return (i) => texts[i % texts.length]!;
}

/** Always so many under way, each result compared, and every worker asked how many it ran. */
async function calls(
  kind: Kind,
  contender: string,
  n: number,
  depth: number,
  payload: (i: number) => unknown,
): Promise<Sample> {
  const pool = await contestants[contender]!(kind);
  const payloads = Array.from({ length: n }, (_, i) => payload(i));
  await window(pool, payloads.slice(0, n / 5), depth);
  const before = await ran(pool);
  let right = 0;
  const sample = await throughput(n, async () => {
    right = await window(pool, payloads, depth);
  });
  proveCount('results that are the argument', n, right);
  proveCount('tasks that ran', n, (await ran(pool)) - before);
  await pool.close();
  return sample;
}

async function window(pool: Contestant, payloads: readonly unknown[], depth: number): Promise<number> {
  let [next, right] = [0, 0];
  const lane = async () => {
    while (next < payloads.length) {
      const value = payloads[next++];
      if ((await pool.echo(value)) === value) right++;
    }
  };
  await Promise.all(Array.from({ length: depth }, lane));
  return right;
}

/** Keeps 1,000 tasks under way, and looks how late a timer of the caller is. */
async function delay(contender: string, seconds: number): Promise<Sample> {
  const until = performance.now() + seconds * 1000;
  if (contender === 'busy-threads') return { value: await lateness(() => spinning(seconds)), operations: 1 };
  const pool = await contestants[contender]!('threads');
  const before = await ran(pool);
  let done = 0;
  const lane = async () => {
    for (; performance.now() < until; done++) await pool.echo(done);
  };
  const value = await lateness(() => Promise.all(Array.from({ length: 1000 }, lane)));
  proveCount('tasks that ran', done, (await ran(pool)) - before);
  await pool.close();
  return { value, operations: done };
}

/** Milliseconds that a timer of one millisecond is late meanwhile, 99th percentile. */
async function lateness(work: () => Promise<unknown>): Promise<number> {
  const late: number[] = [];
  let due = performance.now() + 1;
  const timer = setInterval(() => {
    const now = performance.now();
    late.push(Math.max(0, now - due));
    due = now + 1;
  }, 1);
  await work();
  clearInterval(timer);
  return percentile(late, 0.99);
}

/** As many threads as the pools have do nothing but use their CPU. */
async function spinning(seconds: number): Promise<void> {
  const threads = Array.from({ length: workers }, () => new Worker('for (;;);', { eval: true }));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  await Promise.all(threads.map((thread) => thread.terminate()));
}

async function map(n: number): Promise<Sample> {
  await using pool = new Pool(workers);
  const numbers = Array.from({ length: n }, (_, i) => i);
  await pool.map(echo, numbers);
  let results: number[] = [];
  const sample = await throughput(n, async () => {
    results = await pool.map<number, number>(echo, numbers);
  });
  proveCount('results that are the argument', n, results.filter((result, i) => result === i).length);
  proveCount(
    'tasks that ran',
    2 * n,
    await ran({ echo: (v) => pool.apply(echo, [v]), tally: () => pool.apply(tally, []), close: () => {} }),
  );
  return sample;
}

async function depth1(n: number): Promise<Sample> {
  await using pool = new ThreadPoolExecutor({ maxWorkers: workers });
  await pool.ready();
  return await roundTrips(n, (i) => pool.submit(echo, i) as PromiseLike<number>);
}

/** The bare channel: a number there and back. */
async function postMessage(n: number): Promise<Sample> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
    parentPort.on('message', (value) => parentPort.postMessage(value));`,
    { eval: true },
  );
  let answer: (value: number) => void = () => {};
  worker.on('message', (value: number) => answer(value));
  const sample = await roundTrips(n, (i) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage(i);
    return new Promise<number>((resolve) => (answer = resolve));
  });
  await worker.terminate();
  return sample;
}

async function roundTrips(n: number, trip: (i: number) => PromiseLike<number>): Promise<Sample> {
  for (let i = 0; i < n / 5; i++) await trip(i);
  let right = 0;
  const { value, ...sample } = await throughput(n, async () => {
    for (let i = 0; i < n; i++) if ((await trip(i)) === i) right++;
  });
  proveCount('results that are the argument', n, right);
  return { ...sample, value: 1e6 / value };
}

async function cpu(
  options: { startMethod: StartMethod; maxTasksPerChild?: number },
  n: number,
  size: string,
): Promise<Sample> {
  setForkserverPreload([new URL('./task.js', import.meta.url)]);
  const settings = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== Infinity));
  await using pool = new ProcessPoolExecutor({ maxWorkers: workers, ...settings });
  await pool.ready();
  const expected = work(Number(size));
  await Promise.all(Array.from({ length: n / 5 }, () => pool.submit(work, Number(size))));
  let results: number[] = [];
  const sample = await throughput(n, async () => {
    results = await Promise.all(Array.from({ length: n }, () => pool.submit(work, Number(size))));
  });
  proveCount('right results', n, results.filter((result) => result === expected).length);
  return sample;
}

/** Milliseconds until two processes have answered; the template of the fork server is there from the second time on. */
async function startup(startMethod: StartMethod, times: number): Promise<Sample> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await using pool = new ProcessPoolExecutor({ maxWorkers: workers, startMethod });
    await pool.ready();
    took.push(performance.now() - start);
    proveCount('answers', 7, await pool.submit((n: number) => n, 7));
  }
  return { value: median(times === 1 ? took : took.slice(1)), operations: times };
}

/** How many tasks all workers have run so far. */
async function ran(pool: Contestant): Promise<number> {
  const counts = new Map<string, number>();
  for (let round = 0; round < 50 && counts.size < workers; round++) {
    const answers = Array.from({ length: workers * 4 }, () => pool.tally());
    for (const [worker, count] of await Promise.all(answers)) counts.set(worker, count);
  }
  proveCount('workers that answer', workers, counts.size);
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
