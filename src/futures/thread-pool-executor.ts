import { Engine } from './engine/engine.ts';
import { settingsOf } from './engine/settings.ts';
import { Threads } from './engine/threads.ts';
import { BrokenThreadPool } from './errors.ts';
import type { ThreadPoolOptions } from './options.ts';
import { WorkerExecutor } from './worker-executor.ts';

/**
 * Runs functions on worker threads. Choose it for CPU work off the event loop and for buffers that are moved or shared;
 * ProcessPoolExecutor isolates and can limit memory. `await using` shuts it down. InvalidArgumentError, InvalidStateError
 * (a worker that imports the program starts no pool: guard main with `isWorker()`). (concurrent.futures.ThreadPoolExecutor)
 *
 * @example
 * await using pool = new ThreadPoolExecutor({ maxWorkers: 2 });
 * await pool.submit((n: number) => n * n, 12); // 144
 */
export class ThreadPoolExecutor extends WorkerExecutor {
  constructor(options: ThreadPoolOptions = {}) {
    super(threadEngine(options));
  }
}

/** @internal */
export function threadEngine(options: ThreadPoolOptions): Engine {
  const settings = settingsOf(options);
  const { memoryLimit } = settings;
  const cap = memoryLimit === undefined ? {} : { maxOldGenerationSizeMb: Math.ceil(memoryLimit / 2 ** 20) };
  const limits = memoryLimit === undefined ? options.resourceLimits : { ...cap, ...options.resourceLimits };
  return new Engine(new Threads(limits), settings, BrokenThreadPool);
}
