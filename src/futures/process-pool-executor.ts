import { getStartMethod } from '../multiprocessing/start-method.ts';
import { Engine } from './engine/engine.ts';
import { Processes } from './engine/processes.ts';
import { settingsOf } from './engine/settings.ts';
import { BrokenProcessPool } from './errors.ts';
import type { ProcessPoolOptions } from './options.ts';
import { WorkerExecutor } from './worker-executor.ts';

/**
 * Runs functions in processes. Choose it for CPU work that may crash, leak or never end: a process can be killed whatever
 * it does, and `memoryLimit` is hard. `await using` shuts it down. Linux; elsewhere UnsupportedError. InvalidArgumentError,
 * InvalidStateError (a worker that imports the program starts no pool: guard main with `isWorker()`).
 * (concurrent.futures.ProcessPoolExecutor)
 *
 * @example
 * await using pool = new ProcessPoolExecutor({ maxWorkers: 2, startMethod: 'forkserver' });
 * await pool.submit(() => process.pid);
 */
export class ProcessPoolExecutor extends WorkerExecutor {
  constructor(options: ProcessPoolOptions = {}) {
    super(processEngine(options));
  }
}

/** @internal */
export function processEngine(options: ProcessPoolOptions): Engine {
  const settings = settingsOf(options);
  return new Engine(new Processes(options.startMethod ?? getStartMethod()), settings, BrokenProcessPool);
}
