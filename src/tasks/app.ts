import { checkOptions } from '../base/options.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import type { Backend, BackendOptions } from './backend.ts';
import type { Broker, BrokerOptions } from './broker.ts';
import type { TaskContext } from './context.ts';
import { currentContext } from './context.ts';
import { inlineContext } from './inline.ts';
import { amount, checkFields, name as nameRule, record, text } from './option-rules.ts';
import { openBackend, openBroker } from './registry.ts';
import { AsyncResult } from './result.ts';
import { Sending } from './sending.ts';
import type {
  ApplyOptions,
  BoundFunction,
  BoundTaskOf,
  PlainFunction,
  RegisteredTask,
  Task,
  TaskOf,
  TaskOptions,
} from './task.ts';
import { checkApply, registerTask } from './task.ts';

/** Where an app's tasks travel, and what holds for all of them. */
export interface SimulOptions {
  /** URL of the broker; `SIMUL_BROKER_URL` overrides it, and the embedded broker in `./.simul` serves if none is given. */
  readonly broker?: string;
  /** URL of the result backend; `SIMUL_RESULT_BACKEND` overrides it. By default the broker's server keeps results too. */
  readonly backend?: string;
  /** The queue of tasks that name none (Celery's `celery`). */
  readonly defaultQueue?: string;
  /** Seconds a result is kept (one day); 0 keeps it. */
  readonly resultExpires?: number;
  /** Options of all tasks, each task's own come first. */
  readonly taskDefaults?: Omit<TaskOptions, 'bind' | 'params'>;
}

/**
 * An application: its tasks, and the broker and backend they travel by. Connections open at first use and do not keep
 * a program alive while nothing is under way.
 *
 * @example
 * export const app = new Simul('shop');
 * export const add = app.task('shop.add', (x: number, y: number) => x + y);
 * const result = await add.delay(2, 3);
 */
export class Simul implements AsyncDisposable {
  readonly name: string;
  readonly options: SimulOptions;
  readonly brokerUrl: string;
  readonly backendUrl: string;
  readonly defaultQueue: string;
  readonly #tasks = new Map<string, RegisteredTask>();
  #broker: Promise<Broker> | undefined;
  #connected: Broker | undefined;
  #backend: Promise<Backend> | undefined;

  constructor(name: string, options: SimulOptions = {}) {
    if (typeof name !== 'string' || name === '') throw new InvalidArgumentError('name', name, 'the name of the app');
    checkFields(options, appRules);
    this.name = name;
    this.options = options;
    this.brokerUrl = process.env['SIMUL_BROKER_URL'] || options.broker || 'sqlite://';
    this.backendUrl = process.env['SIMUL_RESULT_BACKEND'] || options.backend || this.brokerUrl;
    this.defaultQueue = options.defaultQueue ?? 'celery';
  }

  /** The registered tasks by name. */
  get tasks(): ReadonlyMap<string, RegisteredTask> {
    return this.#tasks;
  }

  /** Registers a function as a task; types of arguments and result are the function's. */
  task<F extends PlainFunction>(name: string, fn: F): TaskOf<F>;
  task<F extends BoundFunction>(name: string, options: TaskOptions & { bind: true }, fn: F): BoundTaskOf<F>;
  task<F extends PlainFunction>(name: string, options: TaskOptions & { bind?: false }, fn: F): TaskOf<F>;
  task(name: string, ...rest: unknown[]): unknown {
    const [options, fn] = rest.length === 1 ? [{}, rest[0]] : rest;
    checkOptions(options);
    const merged = { ...this.options.taskDefaults, ...(options as TaskOptions) };
    const registered = registerTask(name, merged, fn as (...args: never[]) => unknown);
    if (this.#tasks.has(name)) throw new InvalidArgumentError('name', name, 'a name that no other task of the app has');
    this.#tasks.set(name, registered);
    return this.#handle(registered);
  }

  /** Sends a task by name, whether or not this program knows it. */
  async sendTask(name: string, args: readonly unknown[] = [], options: ApplyOptions = {}): Promise<AsyncResult> {
    return this.#apply(name, args, options);
  }

  /** The handle of a task sent earlier, perhaps by another program. */
  AsyncResult<R = unknown>(id: string): AsyncResult<R> {
    if (typeof id !== 'string' || id === '') throw new InvalidArgumentError('id', id, 'the id of a task');
    return new AsyncResult<R>(id, this);
  }

  /** The app's connection to its broker, opened at first use, and then with these options. */
  broker(options: BrokerOptions = {}): Promise<Broker> {
    this.#broker ??= this.#connect(options);
    return this.#broker;
  }

  /** The app's connection to its result backend, opened at first use, and then with these options. */
  backend({ patience }: Pick<BackendOptions, 'patience'> = {}): Promise<Backend> {
    const { resultExpires } = this.options;
    const options = { patience, ...(resultExpires === undefined ? {} : { resultExpires }) };
    this.#backend ??= forgetIfFailed(openBackend(this.backendUrl, options), () => (this.#backend = undefined));
    return this.#backend;
  }

  /** Closes the connections; the app opens new ones if it is used again. */
  async close(): Promise<void> {
    const open = [this.#broker, this.#backend];
    this.#broker = undefined;
    this.#connected = undefined;
    this.#backend = undefined;
    for (const connection of open) await (await connection?.catch(() => undefined))?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #connect(options: BrokerOptions): Promise<Broker> {
    const opening = forgetIfFailed(openBroker(this.brokerUrl, options), () => (this.#broker = undefined));
    void opening.then(
      (broker) => {
        if (this.#broker === opening) this.#connected = broker;
      },
      () => {},
    );
    return opening;
  }

  #handle(registered: RegisteredTask): Task {
    const { name, fn, options } = registered;
    const call = (...args: unknown[]) => (options.bind === true ? fn(inlineContext(name, args), ...args) : fn(...args));
    const plain = new Sending(name, options, {}, this.defaultQueue);
    const methods = {
      options,
      delay: (...args: unknown[]) => this.#send(plain, args),
      applyAsync: (args: unknown[] = [], apply: ApplyOptions = {}) => this.#apply(name, args, apply),
      applyMany: (list: Iterable<unknown[]>, apply: ApplyOptions = {}) => this.#applyMany(name, list, apply),
    };
    Object.defineProperty(call, 'name', { value: name });
    return Object.assign(call, methods) as Task;
  }

  async #apply(name: string, args: readonly unknown[], apply: ApplyOptions): Promise<AsyncResult> {
    checkApply(name, [args], apply);
    return this.#send(this.#sending(name, apply), args);
  }

  async #applyMany(name: string, list: Iterable<readonly unknown[]>, apply: ApplyOptions): Promise<AsyncResult[]> {
    const argsList = listOf(list);
    checkApply(name, argsList, apply);
    const sending = this.#sending(name, apply);
    const parent = currentContext();
    const ids: string[] = [];
    const draft = (args: readonly unknown[]) => {
      const one = sending.draft(args, parent);
      ids.push(one.id);
      return one;
    };
    // A broker that is there reads as we write, so that of a hundred thousand messages only the texts pile up.
    const drafts = this.#connected === undefined ? argsList.map(draft) : mapped(argsList, draft);
    const broker = this.#connected ?? (await this.broker());
    await broker.publish(mapped(drafts, (one) => sending.message(one, broker)));
    return ids.map((id) => this.#sent(id, parent));
  }

  async #send(sending: Sending, args: readonly unknown[]): Promise<AsyncResult> {
    const parent = currentContext();
    // Written before the first await: a value that cannot travel fails the call, and later changes to it do no harm.
    const draft = sending.draft(args, parent);
    const broker = this.#connected ?? (await this.broker());
    await broker.publish([sending.message(draft, broker)]);
    return this.#sent(draft.id, parent);
  }

  #sending(name: string, apply: ApplyOptions): Sending {
    return new Sending(
      name,
      this.#tasks.get(name)?.options ?? this.options.taskDefaults ?? {},
      apply,
      this.defaultQueue,
    );
  }

  #sent(id: string, parent: TaskContext | undefined): AsyncResult {
    const result = new AsyncResult(id, this);
    parent?.children.push(result.toJSON());
    return result;
  }
}

const appRules = {
  broker: text,
  backend: text,
  defaultQueue: nameRule,
  resultExpires: amount,
  taskDefaults: record,
};

function listOf(list: unknown): unknown[][] {
  if (typeof list === 'object' && list !== null && Symbol.iterator in list) return [...(list as Iterable<unknown[]>)];
  throw new InvalidArgumentError('argsList', list, 'an iterable of arrays of arguments');
}

function* mapped<T, U>(items: Iterable<T>, fn: (item: T) => U): Generator<U> {
  for (const item of items) yield fn(item);
}

function forgetIfFailed<T>(opening: Promise<T>, forget: () => void): Promise<T> {
  opening.catch(forget);
  return opening;
}
