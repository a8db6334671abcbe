import { availableParallelism } from 'node:os';
import { checkSeconds } from '../base/deadline.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { Simul } from '../tasks/app.ts';
import { nodeName } from '../tasks/identity.ts';
import { names } from '../tasks/option-rules.ts';
import type { PoolName } from '../tasks/task.ts';
import { poolNames } from '../tasks/task.ts';
import type { LogLevel } from './log.ts';

/** What a worker takes, how much at a time, and where it runs it; all optional. */
export interface WorkerOptions {
  /** The queues to consume (the app's default queue). */
  readonly queues?: readonly string[] | undefined;
  /** Where tasks run unless they say otherwise (`async`). */
  readonly pool?: PoolName | undefined;
  /** Tasks at a time: 100 for `async`, the number of cores for `threads` and `processes`, 1 for `solo`. */
  readonly concurrency?: number | undefined;
  /** Messages claimed for each slot (1): more hides the way to the broker, and hides tasks behind long ones. */
  readonly prefetchMultiplier?: number | undefined;
  /** Name of the node, as Celery's `-n` (`celery@host`). */
  readonly hostname?: string | undefined;
  /** Seconds after which the tasks of a worker that vanished without a trace are given to others (30). */
  readonly lease?: number | undefined;
  /** Seconds of a blocked main thread after which its claims are let go; by default a living worker keeps them. */
  readonly stallTimeout?: number | undefined;
  /** How often a message may take its worker down before it is set aside (5). */
  readonly maxDeliveries?: number | undefined;
  /**
   * Keep trying when broker or result backend are away (true), or end cold with their error: at once on connections that
   * the worker opens itself; those that the app has open already keep their patience.
   */
  readonly retry?: boolean | undefined;
  /** Seconds a warm stop waits for tasks under way; without end by default. */
  readonly drainTimeout?: number | undefined;
  /** Answer commands that come over the broker: `inspect`, `revoke`, `shutdown` (true). */
  readonly remoteControl?: boolean | undefined;
  /** Seconds between two signs of life for those who watch the fleet (2); 0 sends none. */
  readonly heartbeatInterval?: number | undefined;
  /** The module that exports the app; the pools `threads` and `processes` import it. */
  readonly module?: string | URL | undefined;
  /**
   * Called when the worker has stopped because a thread of a pool cannot be ended: native code in it blocks. By default the process ends
   * with code 75, for who watches over it to start it again; `simul worker` runs its command again.
   */
  readonly restart?: (() => void) | undefined;
  readonly loglevel?: LogLevel | undefined;
  readonly logJson?: boolean | undefined;
  /** Where log lines go (standard error). */
  readonly logWrite?: ((line: string) => void) | undefined;
}

export interface WorkerSettings {
  readonly queues: readonly string[];
  readonly pool: PoolName;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly hostname: string;
  readonly lease: number;
  readonly stallTimeout: number | undefined;
  readonly maxDeliveries: number;
  readonly retry: boolean;
  readonly drainTimeout: number | undefined;
  readonly remoteControl: boolean;
  readonly heartbeatInterval: number;
  readonly module: string | undefined;
  readonly loglevel: LogLevel;
}

/** Fills in the defaults. Throws InvalidArgumentError, naming the option, for what cannot be. */
export function workerSettings(app: Simul, options: WorkerOptions): WorkerSettings {
  if (!(app instanceof Simul)) throw new InvalidArgumentError('app', app, 'an app: new Simul(name)');
  checkOptions(options);
  const pool = options.pool ?? 'async';
  if (!poolNames.includes(pool)) throw new InvalidArgumentError('pool', pool, `one of ${poolNames.join(', ')}`);
  const concurrency = positive('concurrency', options.concurrency ?? defaultConcurrency(pool));
  return {
    queues: queueNames(options.queues ?? [app.defaultQueue]),
    pool,
    concurrency: pool === 'solo' ? 1 : concurrency,
    prefetch: positive('prefetchMultiplier', options.prefetchMultiplier ?? 1),
    hostname: nodeName(checkHostname(options.hostname)),
    lease: checkSeconds('lease', options.lease ?? 30),
    stallTimeout: options.stallTimeout,
    maxDeliveries: positive('maxDeliveries', options.maxDeliveries ?? 5),
    retry: options.retry ?? true,
    drainTimeout: options.drainTimeout === undefined ? undefined : checkSeconds('drainTimeout', options.drainTimeout),
    remoteControl: options.remoteControl ?? true,
    heartbeatInterval: checkSeconds('heartbeatInterval', options.heartbeatInterval ?? 2),
    module: options.module === undefined ? undefined : String(options.module),
    loglevel: options.loglevel ?? 'warning',
  };
}

/** Tasks at a time of a pool whose size was not given. */
export function defaultConcurrency(pool: PoolName): number {
  if (pool === 'async') return 100;
  return pool === 'solo' ? 1 : availableParallelism();
}

function queueNames(queues: readonly string[]): readonly string[] {
  if (names.test(queues) && queues.length > 0) return queues;
  throw new InvalidArgumentError('queues', queues, 'an array of names of queues');
}

function checkHostname(hostname: string | undefined): string | undefined {
  if (hostname === undefined || typeof hostname === 'string') return hostname;
  throw new InvalidArgumentError('hostname', hostname, 'a string');
}

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(name, value, 'an integer, 1 or more');
  return value;
}
