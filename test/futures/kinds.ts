import type { PoolOptions, ProcessPoolOptions } from '../../src/entry/futures.ts';
import { Pool, ProcessPoolExecutor, ThreadPool, ThreadPoolExecutor } from '../../src/entry/futures.ts';
import { whyNoFork } from '../../src/os/fork.ts';

export type AnyPool = ThreadPoolExecutor | ProcessPoolExecutor;
type Kind = readonly [name: string, make: (options?: ProcessPoolOptions) => AnyPool];

function processes(startMethod: 'spawn' | 'forkserver' | 'fork'): Kind {
  const make: Kind[1] = (options) => new ProcessPoolExecutor({ maxWorkers: 2, startMethod, ...options });
  return [`processes (${startMethod})`, make];
}

export const threads: Kind = ['threads', (options) => new ThreadPoolExecutor({ maxWorkers: 2, ...options })];

/** Start method "fork" wants a program of its own: `fork-method.test.ts` runs these tests again in one that can fork. */
export const forks = whyNoFork() === undefined;

export const processKinds: readonly Kind[] = forks
  ? [processes('fork')]
  : [processes('spawn'), processes('forkserver')];

/** Every kind of executor of this machine: what is said of one is tried with all. */
export const kinds: readonly Kind[] = forks ? processKinds : [threads, ...processKinds];

type PoolKind = readonly [
  name: string,
  make: (workers?: number, options?: PoolOptions<ProcessPoolOptions>) => Pool | ThreadPool,
];

function pools(startMethod: 'spawn' | 'forkserver' | 'fork'): PoolKind {
  return [`Pool (${startMethod})`, (workers = 2, options = {}) => new Pool(workers, { startMethod, ...options })];
}

/** Every kind of pool of this machine. */
export const poolKinds: readonly PoolKind[] = forks
  ? [pools('fork')]
  : [
      ['ThreadPool', (workers = 2, options = {}) => new ThreadPool(workers, options)],
      pools('spawn'),
      pools('forkserver'),
    ];
