import { checkSeconds } from '../../base/deadline.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import { cpuCount } from '../../os/scheduling.ts';
import type { ExecutorOptions } from '../options.ts';

/** The options of a pool, checked and complete. */
export interface EngineSettings {
  readonly maxWorkers: number;
  readonly minWorkers: number;
  readonly idleTimeout: number;
  readonly initializer: AnyFunction | undefined;
  readonly initargs: readonly unknown[];
  readonly maxTasksPerChild: number;
  readonly concurrency: number;
  readonly maxQueue: number | undefined;
  readonly timeout: number | undefined;
  readonly grace: number;
  readonly memoryLimit: number | undefined;
}

/** InvalidArgumentError names the option. */
export function settingsOf(options: ExecutorOptions): EngineSettings {
  const { initializer, initargs = [], maxQueue, timeout, idleTimeout = 30, grace = 1, memoryLimit } = options;
  const maxWorkers = count('maxWorkers', options.maxWorkers ?? cpuCount());
  if (initializer !== undefined && typeof initializer !== 'function')
    throw new InvalidArgumentError('initializer', initializer, 'a function');
  if (!Array.isArray(initargs)) throw new InvalidArgumentError('initargs', initargs, 'an array');
  if (maxQueue !== undefined && (!Number.isInteger(maxQueue) || maxQueue < 0))
    throw new InvalidArgumentError('maxQueue', maxQueue, 'a whole number');
  if (memoryLimit !== undefined && !(memoryLimit > 0))
    throw new InvalidArgumentError('memoryLimit', memoryLimit, 'a number of bytes above 0');
  return {
    maxWorkers,
    minWorkers: Math.min(maxWorkers, options.minWorkers === undefined ? maxWorkers : whole(options.minWorkers)),
    idleTimeout: checkSeconds('idleTimeout', idleTimeout),
    initializer,
    initargs,
    maxTasksPerChild: count('maxTasksPerChild', options.maxTasksPerChild ?? Infinity),
    concurrency: count('concurrency', options.concurrency ?? 1),
    maxQueue,
    timeout: timeout === undefined ? undefined : checkSeconds('timeout', timeout),
    grace: checkSeconds('grace', grace),
    memoryLimit,
  };
}

/** As the option `maxWorkers`. InvalidArgumentError. */
export function checkWorkers(maxWorkers: number): number {
  return count('maxWorkers', maxWorkers);
}

function count(name: string, value: number): number {
  if ((Number.isInteger(value) && value >= 1) || (value === Infinity && name === 'maxTasksPerChild')) return value;
  throw new InvalidArgumentError(name, value, 'a whole number above 0');
}

function whole(value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('minWorkers', value, 'a whole number');
}
