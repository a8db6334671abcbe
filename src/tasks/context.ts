import { AsyncLocalStorage } from 'node:async_hooks';
import { InvalidArgumentError } from '../base/errors.ts';
import type { RetryOptions } from './errors.ts';
import { Retry } from './errors.ts';
import type { ResultTuple } from './result-document.ts';
import { readyStates } from './backend.ts';

/** Where a message came from, in the broker's words. */
export interface DeliveryInfo {
  readonly exchange: string;
  readonly routingKey: string;
  readonly priority: number | undefined;
  readonly redelivered: boolean;
}

/** Writes a line about a task; what the worker logs with carries the task's id. */
export interface TaskLogger {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** The facts of one run; everything but what the context does. */
export interface TaskRequest {
  readonly id: string;
  readonly task: string;
  readonly rootId: string;
  readonly parentId: string | undefined;
  readonly group: string | undefined;
  readonly groupIndex: number | undefined;
  readonly retries: number;
  readonly eta: Date | undefined;
  readonly expires: Date | undefined;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deliveryInfo: DeliveryInfo;
  readonly timeLimit: number | undefined;
  readonly softTimeLimit: number | undefined;
  readonly origin: string | undefined;
  readonly hostname: string;
}

/** What a run reaches outside itself; the worker supplies it, wherever the task runs. */
export interface TaskServices {
  readonly signal: AbortSignal;
  readonly logger: TaskLogger;
  storeState(request: TaskRequest, state: string, meta: unknown): Promise<void>;
}

/** The first argument of a task with `bind: true`, as Celery's `self`: what this run is, and what it may ask for. */
export class TaskContext implements TaskRequest {
  readonly id: string;
  readonly task: string;
  readonly rootId: string;
  readonly parentId: string | undefined;
  readonly group: string | undefined;
  readonly groupIndex: number | undefined;
  readonly retries: number;
  readonly eta: Date | undefined;
  readonly expires: Date | undefined;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deliveryInfo: DeliveryInfo;
  readonly timeLimit: number | undefined;
  readonly softTimeLimit: number | undefined;
  readonly origin: string | undefined;
  readonly hostname: string;
  /** Tasks sent from this run. */
  readonly children: ResultTuple[] = [];
  readonly #services: TaskServices;

  constructor(request: TaskRequest, services: TaskServices) {
    this.id = request.id;
    this.task = request.task;
    this.rootId = request.rootId;
    this.parentId = request.parentId;
    this.group = request.group;
    this.groupIndex = request.groupIndex;
    this.retries = request.retries;
    this.eta = request.eta;
    this.expires = request.expires;
    this.args = request.args;
    this.kwargs = request.kwargs;
    this.headers = request.headers;
    this.properties = request.properties;
    this.deliveryInfo = request.deliveryInfo;
    this.timeLimit = request.timeLimit;
    this.softTimeLimit = request.softTimeLimit;
    this.origin = request.origin;
    this.hostname = request.hostname;
    this.#services = services;
  }

  /** Aborted when the task is revoked with `terminate` or the worker stops cold; pass it on to whatever waits. */
  get signal(): AbortSignal {
    return this.#services.signal;
  }

  get logger(): TaskLogger {
    return this.#services.logger;
  }

  /**
   * Ends this run and has the task run again; it never returns. Once the retries are used up the error given is
   * thrown in its place.
   *
   * @example
   * app.task('shop.fetch', { bind: true }, async (ctx, url: string) => {
   *   const response = await fetch(url);
   *   if (response.status === 429) ctx.retry({ countdown: 30 });
   *   return response.text();
   * });
   */
  retry(options: RetryOptions = {}): never {
    throw new Retry(options);
  }

  /** Stores a state of your own with its data, for those who watch the result. Settles when it is stored. */
  async updateState(state: string, meta: unknown = null): Promise<void> {
    if (!/^[A-Z][A-Z0-9_]*$/.test(state) || readyStates.has(state)) {
      throw new InvalidArgumentError('state', state, 'an upper-case word other than SUCCESS, FAILURE and REVOKED');
    }
    await this.#services.storeState(this, state, meta);
  }

  /** The state PROGRESS with how much is done, from 0 to 1, and a note. */
  async progress(fraction: number, note?: string): Promise<void> {
    if (!(fraction >= 0 && fraction <= 1)) throw new InvalidArgumentError('fraction', fraction, 'a number from 0 to 1');
    await this.updateState('PROGRESS', note === undefined ? { fraction } : { fraction, note });
  }
}

const storage = new AsyncLocalStorage<TaskContext>();

/** The context of the task this code runs in, if it runs in one. */
export function currentContext(): TaskContext | undefined {
  return storage.getStore();
}

export function runInContext<T>(context: TaskContext, fn: () => T): T {
  return storage.run(context, fn);
}
