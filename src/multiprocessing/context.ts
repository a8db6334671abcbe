import type { AnyFunction } from '../callable/registry.ts';
import type { ProcessOptions } from './process.ts';
import { Process } from './process.ts';
import type { StartMethod } from './start-method.ts';
import { checkStartMethod, getStartMethod } from './start-method.ts';

/** Processes with one start method, whatever is set for the rest of the program. */
export interface ProcessContext {
  readonly startMethod: StartMethod;
  /** As `new Process(…)`. */
  process<F extends AnyFunction>(target: F, args: Parameters<F>, options?: ProcessOptions): Process<F>;
}

/**
 * A maker of processes with that start method, for libraries that must not change the program's. InvalidArgumentError,
 * UnsupportedError. (multiprocessing.get_context)
 *
 * @example
 * const context = getContext('forkserver');
 * context.process(work, [queue]).start();
 */
export function getContext(startMethod: StartMethod = getStartMethod()): ProcessContext {
  checkStartMethod(startMethod);
  return {
    startMethod,
    process: (target, args, options) => new Process(target, args, { ...options, startMethod }),
  };
}
