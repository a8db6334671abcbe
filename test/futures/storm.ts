import assert from 'node:assert/strict';
import { seeded } from '../../src/base/virtual-clock.ts';
import { deferred } from '../../src/base/deferred.ts';
import { EncodeError } from '../../src/base/errors.ts';
import { transfer } from '../../src/callable/transfer.ts';
import { CancelledError, Future, TimeoutError, WorkerLostError } from '../../src/entry/futures.ts';
import { Event } from '../../src/entry/multiprocessing.ts';
import { count, fail, failAfter, growing, invert, later, never, oneThenEndless, plain, spin } from './jobs.ts';
import type { AnyPool } from './kinds.ts';

export interface Storm {
  readonly calls: number;
  readonly seed: number;
  /** About so many calls that are ended with their worker: by a time limit, and by a cancellation while they run. */
  readonly ends: number;
  /** About so many workers that are killed from outside, whatever they do. */
  readonly kills: number;
}

interface Sort {
  /** How likely it is against the others. */
  readonly share: number;
  submit(pool: AnyPool, i: number, random: () => number): Future<unknown>;
  allows(outcome: unknown, i: number): boolean;
}

/** Calls of every sort, ended in every way there is; each must settle once, and as its sort may. */
export async function storm(pool: AnyPool, { calls, seed, ends, kills }: Storm): Promise<void> {
  const random = seeded(seed);
  const sorts = [
    ...ordinary,
    ...streams,
    ...ending.map((sort) => ({ ...sort, share: (100 * ends) / ending.length / calls })),
  ];
  const pids = new Set<number>();
  const ready = ({ worker }: { worker: string }) => {
    if (worker.includes('process')) pids.add(Number(/\d+$/.exec(worker)![0]));
  };
  pool.on('ready', ready);
  const [wrong, all] = [[] as string[], deferred()];
  let [settled, open] = [0, 0];
  let resume = () => {};
  for (let i = 0; i < calls; i++) {
    const sort = choose(sorts, random());
    const future = sort.submit(pool, i, random);
    let times = 0;
    open++;
    future.look();
    future.addDoneCallback(() => {
      const outcome = future.outcome();
      const lost = kills > 0 && outcome instanceof WorkerLostError;
      if (++times > 1 || !(lost || sort.allows(outcome, i)))
        wrong.push(`${i} ${sorts.indexOf(sort)} ${times}: ${String(outcome)}`);
      open--;
      if (++settled === calls) all.resolve();
      if (open < 500) resume();
    });
    if (random() < kills / calls) kill(pids);
    if (open >= 1000) await new Promise<void>((resolve) => (resume = resolve));
  }
  await all.promise;
  pool.off('ready', ready);
  // Node loses a descriptor of a thread that is ended while it loads a module.
  await pool.ready();
  assert.deepEqual({ settled, wrong }, { settled: calls, wrong: [] }, `seed ${seed}`);
}

const ordinary: readonly Sort[] = [
  { share: 70, submit: (pool, i) => pool.submit(plain, i), allows: (outcome, i) => outcome === i },
  { share: 5, submit: (pool, i) => pool.submit(later, i), allows: (outcome, i) => outcome === i },
  { share: 5, submit: (pool, i) => pool.submit(fail, i), allows: (outcome) => outcome instanceof RangeError },
  {
    share: 3, // by message
    submit: (pool, i) => {
      const pixels = new Uint8Array(64).fill(i);
      return pool.submit(invert, transfer(pixels, [pixels.buffer]));
    },
    allows: (outcome, i) => (outcome as Uint8Array)[63] === 255 - (i & 255),
  },
  {
    share: 2,
    submit: (pool) => pool.submit(plain as (value: unknown) => unknown, () => {}),
    allows: (outcome) => outcome instanceof EncodeError,
  },
  {
    share: 5,
    submit: (pool, i, random) => pool.submitWith({ priority: Math.floor(random() * 5) - 2 }, plain, i),
    allows: (outcome, i) => outcome === i,
  },
  {
    share: 5,
    submit: (pool, i) => {
      const future = pool.submit(plain, i);
      future.cancel();
      return future;
    },
    allows: (outcome, i) => outcome === i || outcome instanceof CancelledError,
  },
  {
    share: 5,
    submit: (pool, i, random) => {
      const abort = new AbortController();
      const future = pool.submitWith({ signal: abort.signal, timeout: 60 }, later, i);
      if (random() < 0.5) setImmediate(() => abort.abort());
      else queueMicrotask(() => abort.abort());
      return future;
    },
    allows: (outcome, i) => outcome === i || outcome instanceof CancelledError,
  },
];

// Longer than what is sent ahead, so that the worker has to be asked for more.
const items = 150;

const streams: readonly Sort[] = [
  {
    share: 0.5,
    submit: (pool) => reading(pool.stream(count, 0, items)),
    allows: (outcome) => outcome === items,
  },
  {
    share: 0.5,
    submit: (pool, i) => reading(pool.stream(count, 0, items), 1 + (i % items)),
    allows: (outcome, i) => outcome === 1 + (i % items),
  },
  {
    share: 0.5,
    submit: (pool) => reading(pool.stream(failAfter, 70)),
    allows: (outcome) => outcome instanceof RangeError && outcome.message === 'after them',
  },
  {
    share: 0.2, // by message
    submit: (pool) => reading(sizes(pool.stream(growing, 4))),
    allows: (outcome) => outcome === 4,
  },
  {
    share: 0.3,
    submit: (pool) => left(pool.stream(count, 0, items)),
    allows: (outcome) => outcome === undefined,
  },
];

/** A future of how many items were read, at most `most`, of a stream of 0, 1, 2… */
function reading(stream: AsyncIterable<number>, most = Infinity): Future<unknown> {
  return futureOf(async () => {
    let read = 0;
    for await (const item of stream) {
      assert.equal(item, read++);
      if (read === most) break;
    }
    return read;
  });
}

async function oneOf(stream: AsyncIterable<number>): Promise<number | undefined> {
  for await (const item of stream) return item;
  return undefined;
}

// It may not have begun.
function left(stream: AsyncIterator<number>): Future<unknown> {
  return futureOf(async () => {
    const next = stream.next();
    await stream.return!();
    const { done } = await next;
    return done === true ? undefined : 'an item';
  });
}

async function* sizes(stream: AsyncIterable<Uint8Array>): AsyncGenerator<number> {
  let number = 0;
  for await (const { length } of stream) yield length === (number % 2 === 0 ? 1 : 200_000) ? number++ : -length;
}

function futureOf(body: () => Promise<unknown>): Future<unknown> {
  const future = new Future<unknown>();
  body().then(
    (value) => future.setResult(value),
    (error: unknown) => future.setException(error),
  );
  return future;
}

const ending: readonly Omit<Sort, 'share'>[] = [
  {
    submit: (pool) => pool.submitWith({ timeout: 1 }, never),
    allows: (outcome) => outcome instanceof TimeoutError,
  },
  {
    submit: (pool) => futureOf(async () => oneOf(pool.stream(oneThenEndless))),
    allows: (outcome) => outcome === 1,
  },
  {
    submit: (pool) => {
      const [begun, over] = [new Event(), new AbortController()];
      const future = pool.submit(spin, begun);
      future.addDoneCallback(() => over.abort());
      begun.wait({ signal: over.signal }).then(
        () => future.cancel({ running: true }),
        () => {}, // its worker was killed before
      );
      return future;
    },
    allows: (outcome) => outcome instanceof CancelledError,
  },
];

function choose(sorts: readonly Sort[], number: number): Sort {
  let left = number * sorts.reduce((sum, { share }) => sum + share, 0);
  return sorts.find(({ share }) => (left -= share) < 0) ?? sorts[0]!;
}

function kill(pids: Set<number>): void {
  const [pid] = pids;
  if (pid === undefined) return;
  pids.delete(pid);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
