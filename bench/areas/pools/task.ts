import { threadId } from 'node:worker_threads';
import { portable } from '../../../src/entry/callable.ts';

// The module that the workers of ours, piscina and tinypool run; the other peers' worker files register the same.

let ran = 0;

/** Counts itself, so that a task that ran twice does not go unseen. */
export const echo = portable(import.meta, 'echo', <T>(value: T): T => {
  ran++;
  return value;
});

/** Which worker this is, and how many tasks it has run; long enough for every worker to get one. */
export const tally = portable(import.meta, 'tally', (): [worker: string, ran: number] => {
  busy(5);
  return [`${process.pid}:${threadId}`, ran];
});

/** About ten milliseconds of arithmetic and of garbage, and a result that shows it was done. */
export const work = portable(import.meta, 'work', (size: number): number => {
  ran++;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const points = Array.from({ length: 64 }, (_, at) => ({ x: at + i, y: Math.sqrt(at) }));
    for (const { x, y } of points) sum = (sum + x * Math.floor(y)) % 1_000_003;
  }
  return sum;
});

function busy(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}
