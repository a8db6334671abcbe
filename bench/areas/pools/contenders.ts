import { resolve } from 'node:path';
import { ProcessPoolExecutor, ThreadPoolExecutor } from '../../../src/entry/futures.ts';
import { loadPeer } from '../../peers.ts';
import { echo, tally } from './task.ts';

export const workers = 2;

/** What each peer was tuned to: tasks that may be under way in one worker, the best of 1, 4, 16, 64 and 256. */
export const tuned: Readonly<Record<string, Readonly<Record<string, number | boolean>>>> = {
  piscina: { concurrentTasksPerWorker: 16 },
  tinypool: { concurrentTasksPerWorker: 64 },
  // It has no such setting.
  workerpool: {},
  // All go to the workers at once: better than its own queue with any setting.
  poolifier: { enableTasksQueue: false },
};

export type Kind = 'threads' | 'processes';

/** A pool of two workers, whoever's it is. */
export interface Contestant {
  echo(value: unknown): PromiseLike<unknown>;
  tally(): PromiseLike<[worker: string, ran: number]>;
  close(): unknown;
}

/** Makes the pool of a contender, by its package's name. */
export const contestants: Readonly<Record<string, (kind: Kind) => Promise<Contestant>>> = {
  ours,
  piscina,
  tinypool,
  workerpool,
  poolifier,
};

async function ours(kind: Kind): Promise<Contestant> {
  const Executor = kind === 'threads' ? ThreadPoolExecutor : ProcessPoolExecutor;
  const pool = new Executor({ maxWorkers: workers });
  await pool.ready();
  return {
    echo: (value) => pool.submit(echo, value),
    tally: () => pool.submit(tally),
    close: () => pool.shutdown(),
  };
}

interface RunPool {
  run(value: unknown, options?: { name: string }): Promise<unknown>;
  destroy(): Promise<void>;
}
type RunPoolClass = new (options: Readonly<Record<string, unknown>>) => RunPool;

const task = new URL('./task.js', import.meta.url).href;
const size = { minThreads: workers, maxThreads: workers };

async function piscina(): Promise<Contestant> {
  const { Piscina } = await loadPeer<{ Piscina: RunPoolClass }>('piscina');
  return runPool(new Piscina({ filename: task, name: 'echo', ...size, ...tuned.piscina }));
}

async function tinypool(kind: Kind): Promise<Contestant> {
  const { default: Tinypool } = await loadPeer<{ default: RunPoolClass }>('tinypool');
  const runtime = kind === 'threads' ? 'worker_threads' : 'child_process';
  return runPool(new Tinypool({ filename: task, name: 'echo', runtime, ...size, ...tuned.tinypool }));
}

function runPool(pool: RunPool): Contestant {
  return {
    echo: (value) => pool.run(value),
    tally: () => pool.run(undefined, { name: 'tally' }) as Promise<[string, number]>,
    close: () => pool.destroy(),
  };
}

interface Workerpool {
  pool(
    script: string,
    options: Readonly<Record<string, unknown>>,
  ): { exec(name: string, args: readonly unknown[]): Promise<unknown>; terminate(): Promise<void> };
}

async function workerpool(kind: Kind): Promise<Contestant> {
  const { default: library } = await loadPeer<{ default: Workerpool }>('workerpool');
  const workerType = kind === 'threads' ? 'thread' : 'process';
  const script = new URL('./workerpool-worker.js', import.meta.url).pathname;
  const pool = library.pool(script, { workerType, minWorkers: workers, maxWorkers: workers });
  return {
    echo: (value) => pool.exec('echo', [value]),
    tally: () => pool.exec('tally', []) as Promise<[string, number]>,
    close: () => pool.terminate(),
  };
}

type FixedPool = new (
  workers: number,
  script: string,
  options: Readonly<Record<string, unknown>>,
) => { execute(value: unknown, name: string): Promise<unknown>; destroy(): Promise<void> };

async function poolifier(kind: Kind): Promise<Contestant> {
  const library = await loadPeer<Record<'FixedThreadPool' | 'FixedClusterPool', FixedPool>>('poolifier');
  const Pool = kind === 'threads' ? library.FixedThreadPool : library.FixedClusterPool;
  const script = resolve(import.meta.dirname, '../../../../bench/areas/pools/poolifier-worker.cjs');
  const pool = new Pool(workers, script, { ...tuned.poolifier });
  return {
    echo: (value) => pool.execute(value, 'echo'),
    tally: () => pool.execute(undefined, 'tally') as Promise<[string, number]>,
    // It may wait for the end of its threads for ever.
    close: () => {
      void pool.destroy();
      setTimeout(() => process.exit(), 2000).unref();
    },
  };
}
