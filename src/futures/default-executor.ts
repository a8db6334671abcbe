import type { Executor } from '../asyncio/executor.ts';
import { cpuCount } from '../os/scheduling.ts';
import type { Executor as Pool } from './executor.ts';

// As Python: threads mostly wait there.
const mostWorkers = 32;
const beyondCpus = 4;

/** What `toThread` runs its functions on: a pool of threads that is loaded and started when it is first used. */
export class DefaultExecutor implements Executor {
  #pool: Promise<Pool> | undefined;

  async submit<A extends unknown[], T>(fn: (...args: A) => T | PromiseLike<T>, ...args: A): Promise<Awaited<T>> {
    this.#pool ??= start();
    const pool = await this.#pool;
    return pool.submit<A, T | PromiseLike<T>>(fn, ...args);
  }

  async shutdown(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool)?.shutdown();
  }
}

async function start(): Promise<Pool> {
  const { ThreadPoolExecutor } = await import('./thread-pool-executor.ts');
  const maxWorkers = Math.min(mostWorkers, cpuCount() + beyondCpus);
  return new ThreadPoolExecutor({ maxWorkers, minWorkers: 0 });
}
