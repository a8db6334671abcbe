import { InvalidArgumentError } from '../base/errors.ts';
import type { TaskContext } from './context.ts';
import { parameterNames } from './parameters.ts';
import type { AsyncResult } from './result.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { checkRetryPolicy } from './retry-policy.ts';

export const poolNames = ['async', 'threads', 'processes', 'prefork', 'solo'] as const;
/** Where a worker runs a task. */
export type PoolName = (typeof poolNames)[number];

/** How a task is sent, run and retried; the words are Celery's. */
export interface TaskOptions extends RetryPolicy {
  /** Pass the TaskContext as the first argument. */
  readonly bind?: boolean;
  /** Names of the parameters, for keyword arguments; read from the function if absent. */
  readonly params?: readonly string[];
  /** The queue it is sent to, unless the call names one. */
  readonly queue?: string;
  /** 0 to 9, 9 first. */
  readonly priority?: number;
  /** The pool it runs on, unlike the worker's own. */
  readonly pool?: PoolName;
  /** Store no result. */
  readonly ignoreResult?: boolean;
  /** Store STARTED when it begins. */
  readonly trackStarted?: boolean;
  /** Acknowledge after the run (true), so that a task whose worker dies runs again, or before it (false). */
  readonly acksLate?: boolean;
  /** Seconds after which a run is ended. */
  readonly timeLimit?: number;
  /** Seconds after which a run is told to end. */
  readonly softTimeLimit?: number;
  /** Seconds after sending from which the task is not worth running. */
  readonly expires?: number;
  /** Runs per time at one worker: `'10/s'`, `'100/m'`, `'5/h'`. */
  readonly rateLimit?: string | number;
}

/** How one call is sent; the words are Celery's `apply_async`. */
export interface ApplyOptions {
  /** Seconds from now before which it does not run. */
  readonly countdown?: number;
  readonly eta?: Date;
  /** Seconds from now, or the time, after which it does not run any more. */
  readonly expires?: number | Date;
  readonly queue?: string;
  /** 0 to 9, 9 first. */
  readonly priority?: number;
  /** Keyword arguments. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** Headers of your own; the task finds them in `ctx.headers`. */
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly ignoreResult?: boolean;
  /** An id of your own in place of a random one. */
  readonly taskId?: string;
  readonly shadow?: string;
  readonly timeLimit?: number;
  readonly softTimeLimit?: number;
}

/** Arguments for `applyAsync`: all of them, or a leading part when the rest comes as `kwargs`. */
export type PartialArgs<A extends readonly unknown[]> =
  | A
  | (A extends readonly [...infer H, unknown] ? PartialArgs<H> : never);

/**
 * A registered function. Called directly it runs here and now; `delay` and `applyAsync` send it to a worker.
 */
export interface Task<A extends unknown[] = unknown[], R = unknown> {
  (...args: A): R;
  readonly name: string;
  readonly options: TaskOptions;
  /** Sends it with these arguments; resolves when the broker has the message. */
  delay(...args: A): Promise<AsyncResult<Awaited<R>>>;
  /** Sends it with options. */
  applyAsync(args?: PartialArgs<A>, options?: ApplyOptions): Promise<AsyncResult<Awaited<R>>>;
  /** Sends one message for each list of arguments, together, which is many times faster than one by one. */
  applyMany(argsList: Iterable<A>, options?: Omit<ApplyOptions, 'taskId'>): Promise<AsyncResult<Awaited<R>>[]>;
}

// `never[]` and not `unknown[]`: it leaves a parameter that has only a default value the type of that value.
export type PlainFunction = (...args: never[]) => unknown;
export type BoundFunction = (ctx: TaskContext, ...args: never[]) => unknown;

/** The task a function becomes. */
export type TaskOf<F extends PlainFunction> = Task<Parameters<F>, ReturnType<F>>;
/** The task a function with a context becomes: callers do not pass the context. */
export type BoundTaskOf<F extends BoundFunction> =
  Parameters<F> extends [unknown, ...infer A] ? Task<A, ReturnType<F>> : Task<[], ReturnType<F>>;

/** A task as a worker sees it. */
export interface RegisteredTask {
  readonly name: string;
  readonly options: TaskOptions;
  readonly params: readonly string[];
  /** Takes the context first if the options say `bind`. */
  readonly fn: (...args: unknown[]) => unknown;
}

export function registerTask(name: string, options: TaskOptions, fn: (...args: never[]) => unknown): RegisteredTask {
  checkTaskOptions(name, options, fn);
  const names = options.params ?? parameterNames(fn);
  const params = options.bind === true && options.params === undefined ? names.slice(1) : names;
  return { name, options, params, fn: fn as (...args: unknown[]) => unknown };
}

function checkTaskOptions(name: string, options: TaskOptions, fn: unknown): void {
  if (typeof name !== 'string' || name === '') throw new InvalidArgumentError('name', name, 'the name of the task');
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, `the function of task ${name}`);
  checkRetryPolicy(options);
  checkPriority(options.priority);
  if (options.pool !== undefined && !poolNames.includes(options.pool)) {
    throw new InvalidArgumentError('pool', options.pool, `one of ${poolNames.join(', ')}`);
  }
  for (const key of ['timeLimit', 'softTimeLimit', 'expires'] as const) {
    const value = options[key];
    if (value !== undefined && !(typeof value === 'number' && value > 0)) {
      throw new InvalidArgumentError(key, value, 'a number of seconds above 0');
    }
  }
}

export function checkPriority(priority: number | undefined): void {
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 9)) {
    throw new InvalidArgumentError('priority', priority, 'an integer from 0 to 9');
  }
}
