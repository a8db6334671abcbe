import type { ProcessPoolOptions } from '../../src/entry/futures.ts';
import { ProcessPoolExecutor, ThreadPoolExecutor } from '../../src/entry/futures.ts';
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
