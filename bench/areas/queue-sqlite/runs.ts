import { setTimeout as delay } from 'node:timers/promises';
import type { Sample } from '../../harness.ts';
import { throughput } from '../../harness.ts';
import { proveCount, proveSum } from '../../proof.ts';
import { median } from '../../statistics.ts';
import type { Queue } from './queue.ts';

export type Run = (queue: Queue, jobs: number) => Promise<Sample>;

export const concurrency = 100;

export async function enqueue(queue: Queue, jobs: number): Promise<Sample> {
  const ids: string[] = [];
  const xs = numbers(jobs);
  const pending = xs.values();
  const lane = async () => {
    for (const x of pending) ids[x] = await queue.add(x);
  };
  const sample = await throughput(jobs, () => Promise.all(Array.from({ length: concurrency }, lane)));
  await proveByRunning(queue, ids, xs);
  return sample;
}

export async function enqueueBulk(queue: Queue, jobs: number): Promise<Sample> {
  const xs = numbers(jobs);
  let ids: string[] = [];
  const sample = await throughput(jobs, async () => {
    ids = await queue.addMany(xs);
  });
  await proveByRunning(queue, ids, xs);
  return sample;
}

export async function processWithResults(queue: Queue, jobs: number): Promise<Sample> {
  const xs = numbers(jobs);
  const ids = await queue.addMany(xs);
  const starting = queue.startWorker();
  // From the first job gone to the last one written: what a worker takes to start is no part of it.
  while ((await queue.remaining()) === jobs) await delay(1);
  const left = await queue.remaining();
  const sample = await throughput(left, async () => {
    while ((await queue.remaining()) > 0) await delay(2);
  });
  await starting;
  if (left < jobs / 2) throw new Error('most jobs were done before the clock was started: more jobs, please');
  prove(await queue.results(ids), xs);
  await queue.stopWorker();
  return sample;
}

export async function endToEnd(queue: Queue, jobs: number): Promise<Sample> {
  const xs = numbers(jobs);
  await queue.startWorker();
  let values: number[] = [];
  const sample = await throughput(jobs, async () => {
    values = await queue.results(await queue.addMany(xs));
  });
  prove(values, xs);
  await queue.stopWorker();
  return sample;
}

export async function idleLatency(queue: Queue, jobs: number): Promise<Sample> {
  const xs = numbers(jobs);
  await queue.startWorker();
  const times: number[] = [];
  const values: number[] = [];
  const { cpuSeconds } = await throughput(jobs, async () => {
    for (const x of xs) {
      await delay(10); // so that the worker has gone idle again
      const start = performance.now();
      values.push(...(await queue.results([await queue.add(x)])));
      times.push(performance.now() - start);
    }
  });
  prove(values, xs);
  await queue.stopWorker();
  return { value: median(times), operations: jobs, cpuSeconds: cpuSeconds ?? NaN };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Every id that was handed out has its result: whatever was enqueued is really there, once. */
async function proveByRunning(queue: Queue, ids: readonly string[], xs: readonly number[]): Promise<void> {
  proveCount('distinct ids', xs.length, new Set(ids).size);
  await queue.startWorker();
  prove(await queue.results(ids), xs);
  await queue.stopWorker();
}

function prove(values: readonly number[], xs: readonly number[]): void {
  proveCount('results', xs.length, values.length);
  const wrong = xs.find((x, index) => values[index] !== x + 1);
  if (wrong !== undefined) throw new Error(`job ${wrong} should have given ${wrong + 1}, it gave ${values[wrong]}`);
  proveSum('results', (xs.length * (xs.length + 1)) / 2, values);
}
