import { uuid } from '../base/ids.ts';
import { checkOptions } from '../base/options.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import type { Backend, BackendOptions } from './backend.ts';
import type { Broker, BrokerOptions, OutgoingMessage } from './broker.ts';
import { currentContext } from './context.ts';
import { inlineContext } from './inline.ts';
import { encodeMessage } from './message.ts';
import { amount, checkFields, name as nameRule, record, text } from './option-rules.ts';
import { openBackend, openBroker } from './registry.ts';
import { AsyncResult } from './result.ts';
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
import { messageTimes } from './times.ts';

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
    const [result] = await this.#send(name, [args], options);
    return result!;
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
    const methods = {
      options,
      delay: async (...args: unknown[]) => (await this.#send(name, [args], {}))[0]!,
      applyAsync: async (args: unknown[] = [], apply: ApplyOptions = {}) => (await this.#send(name, [args], apply))[0]!,
      applyMany: async (list: Iterable<unknown[]>, apply: ApplyOptions = {}) => this.#send(name, listOf(list), apply),
    };
    Object.defineProperty(call, 'name', { value: name });
    return Object.assign(call, methods) as Task;
  }

  async #send(name: string, argsList: readonly (readonly unknown[])[], apply: ApplyOptions): Promise<AsyncResult[]> {
    checkApply(name, argsList, apply);
    const results: AsyncResult[] = [];
    const prepare = (args: readonly unknown[]) => {
      const message = this.#prepare(name, args, apply);
      results.push(new AsyncResult(message.envelope.properties.correlation_id!, this));
      return message;
    };
    // Written before the first await: a value that cannot travel fails the call, and later changes to it do no harm. A
    // broker that is there reads as we write, so that of a hundred thousand messages only the texts pile up.
    if (this.#connected === undefined) {
      const prepared = argsList.map(prepare);
      const broker = await this.broker();
      await broker.publish(prepared.map((message) => outgoing(broker, message)));
    } else {
      const broker = this.#connected;
      await broker.publish(mapped(argsList, (args) => outgoing(broker, prepare(args))));
    }
    const parent = currentContext();
    for (const result of results) parent?.children.push(result.toJSON());
    return results;
  }

  #prepare(name: string, args: readonly unknown[], apply: ApplyOptions): OutgoingMessage {
    const options = this.#tasks.get(name)?.options ?? this.options.taskDefaults ?? {};
    const parent = currentContext();
    const queue = apply.queue ?? options.queue ?? this.defaultQueue;
    const priority = apply.priority ?? options.priority;
    const { eta, expires } = messageTimes({ ...apply, expires: apply.expires ?? options.expires });
    const id = apply.taskId ?? uuid();
    const envelope = encodeMessage({
      id,
      task: name,
      args,
      kwargs: apply.kwargs ?? {},
      queue,
      eta,
      expires,
      rootId: parent?.rootId,
      parentId: parent?.id,
      timeLimit: apply.timeLimit ?? options.timeLimit,
      softTimeLimit: apply.softTimeLimit ?? options.softTimeLimit,
      ignoreResult: apply.ignoreResult ?? options.ignoreResult,
      shadow: apply.shadow,
      headers: apply.headers,
    });
    return { queue, envelope, priority, due: eta === undefined ? undefined : eta.getTime() / 1000 };
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

/** With the priority on the broker's scale. */
function outgoing(broker: Broker, message: OutgoingMessage): OutgoingMessage {
  const { envelope, priority } = message;
  if (priority === undefined) return message;
  const wire = broker.capabilities.mostUrgent === 9 ? priority : 9 - priority;
  return { ...message, envelope: { ...envelope, properties: { ...envelope.properties, priority: wire } } };
}

function* mapped<T, U>(items: Iterable<T>, fn: (item: T) => U): Generator<U> {
  for (const item of items) yield fn(item);
}

function forgetIfFailed<T>(opening: Promise<T>, forget: () => void): Promise<T> {
  opening.catch(forget);
  return opening;
}
