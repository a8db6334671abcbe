import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds } from '../../cpu.ts';
import type { Sample } from '../../harness.ts';
import { proveCount } from '../../proof.ts';
import { median } from '../../statistics.ts';
import type { Queue } from './queue.ts';
import type { RedisServer } from './redis-server.ts';

/** What one run of a row works on: an empty Redis, so many jobs, and the settings, which it may add to. */
export interface Bout {
  readonly queue: Queue;
  readonly server: RedisServer;
  readonly jobs: number;
  readonly settings: Record<string, string | number | boolean>;
}

export type Run = (bout: Bout) => Promise<Sample>;

export const concurrency = 100;

export const enqueue: Run = async (bout) => {
  const { queue, jobs } = bout;
  const sample = await timed(bout, () => queue.enqueue(jobs, concurrency));
  await proveByRunning(queue, jobs);
  return sample;
};

export const enqueueBulk: Run = async (bout) => {
  const { queue, jobs } = bout;
  const sample = await timed(bout, () => queue.enqueueBulk(jobs, true));
  await proveByRunning(queue, jobs);
  return sample;
};

export const processWithResults: Run = async (bout) => {
  const { queue, jobs } = bout;
  await queue.enqueueBulk(jobs, true);
  const sample = await timed(bout, () => drain(queue, jobs));
  proveCount('runs', jobs, await queue.stopWorker());
  await proveResults(queue, jobs);
  return sample;
};

export const process: Run = async (bout) => {
  const { queue, jobs } = bout;
  await queue.enqueueBulk(jobs, false);
  const sample = await timed(bout, () => drain(queue, jobs));
  proveCount('runs', jobs, await queue.stopWorker());
  return sample;
};

export const endToEnd: Run = async (bout) => {
  const { queue, jobs } = bout;
  await queue.startWorker();
  // Each result is checked as it comes.
  const sample = await timed(bout, () => queue.roundTrips(jobs, concurrency));
  await drained(queue);
  proveCount('runs', jobs, await queue.stopWorker());
  return sample;
};

export const idleLatency: Run = async ({ queue, jobs }) => {
  await queue.startWorker();
  await queue.latencies(Math.ceil(jobs / 10));
  const before = cpuSeconds();
  const value = median(await queue.latencies(jobs));
  const spent = cpuSeconds() - before;
  await queue.stopWorker();
  return { value, operations: jobs, cpuSeconds: spent };
};

/** Measures `work`, which tells its own time: a Python client is not charged for being asked. */
async function timed({ server, jobs, settings }: Bout, work: () => Promise<number>): Promise<Sample> {
  const [commands, cpu] = [await server.commands(), cpuSeconds()];
  const seconds = await work();
  const spent = cpuSeconds() - cpu;
  settings['commands/task'] = Number((((await server.commands()) - commands) / jobs).toPrecision(3));
  return { value: jobs / seconds, operations: jobs, cpuSeconds: spent };
}

// From the first job gone to the last one written: what a worker takes to start is no part of it.
async function drain(queue: Queue, jobs: number): Promise<number> {
  const starting = queue.startWorker();
  while ((await queue.remaining()) === jobs) await delay(1);
  const start = performance.now();
  const left = await queue.remaining();
  await drained(queue);
  const seconds = (performance.now() - start) / 1000;
  await starting;
  if (left === 0) throw new Error('all jobs were done before the clock was started: more jobs, please');
  return (seconds * jobs) / left;
}

async function drained(queue: Queue): Promise<void> {
  while ((await queue.remaining()) > 0) await delay(2);
}

async function proveByRunning(queue: Queue, jobs: number): Promise<void> {
  await queue.startWorker();
  await drained(queue);
  proveCount('runs', jobs, await queue.stopWorker());
  await proveResults(queue, jobs);
}

async function proveResults(queue: Queue, jobs: number): Promise<void> {
  const values = await queue.results(jobs);
  proveCount('results', jobs, values.length);
  const wrong = values.findIndex((value, x) => value !== x + 1);
  if (wrong >= 0) throw new Error(`job ${wrong} should have given ${wrong + 1}, it gave ${values[wrong]}`);
}
