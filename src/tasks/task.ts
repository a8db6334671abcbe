import { InvalidArgumentError, UnsupportedError } from '../base/errors.ts';
import type { TaskContext } from './context.ts';
import {
  anything,
  checkFields,
  flag,
  limit,
  name as nameRule,
  names,
  oneOf,
  priority,
  rate,
  record,
  text,
} from './option-rules.ts';
import { parameterNames } from './parameters.ts';
import type { AsyncResult } from './result.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { retryRules } from './retry-policy.ts';

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
  checkTask(name, options, fn);
  const names = options.params ?? parameterNames(fn);
  const params = options.bind === true && options.params === undefined ? names.slice(1) : names;
  return { name, options, params, fn: fn as (...args: unknown[]) => unknown };
}

const taskRules = {
  ...retryRules,
  bind: flag,
  params: names,
  queue: nameRule,
  priority,
  pool: oneOf(poolNames),
  ignoreResult: flag,
  trackStarted: flag,
  acksLate: flag,
  timeLimit: limit,
  softTimeLimit: limit,
  expires: limit,
  rateLimit: rate,
};

function checkTask(name: string, options: TaskOptions, fn: unknown): void {
  if (!nameRule.test(name)) throw new InvalidArgumentError('name', name, `the name of the task: ${nameRule.allowed}`);
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, `the function of task ${name}`);
  checkFields(options, taskRules);
}

const applyRules = {
  // What times may be, `messageTimes` says.
  countdown: anything,
  eta: anything,
  expires: anything,
  queue: nameRule,
  priority,
  kwargs: record,
  headers: record,
  ignoreResult: flag,
  taskId: nameRule,
  shadow: text,
  timeLimit: limit,
  softTimeLimit: limit,
};

/** Refuses what no message can be made of. */
export function checkApply(name: string, argsList: readonly (readonly unknown[])[], apply: ApplyOptions): void {
  if (!nameRule.test(name)) throw new InvalidArgumentError('name', name, `the name of a task: ${nameRule.allowed}`);
  for (const args of argsList)
    if (!Array.isArray(args)) throw new InvalidArgumentError('args', args, 'an array of arguments');
  checkFields(apply, applyRules);
  if (argsList.length > 1 && apply.taskId !== undefined) throw new UnsupportedError('taskId names one task, not many');
}
