import type { ProcessPoolOptions } from '../../src/entry/futures.ts';
import { ProcessPoolExecutor, ThreadPoolExecutor } from '../../src/entry/futures.ts';

export type AnyPool = ThreadPoolExecutor | ProcessPoolExecutor;

/** Every kind of executor of this machine: what is said of one is tried with all. */
export const kinds: readonly [name: string, make: (options?: ProcessPoolOptions) => AnyPool][] = [
  ['threads', (options) => new ThreadPoolExecutor({ maxWorkers: 2, ...options })],
  ['processes (spawn)', (options) => new ProcessPoolExecutor({ maxWorkers: 2, startMethod: 'spawn', ...options })],
  [
    'processes (forkserver)',
    (options) => new ProcessPoolExecutor({ maxWorkers: 2, startMethod: 'forkserver', ...options }),
  ],
];
