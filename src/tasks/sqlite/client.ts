import { Worker } from 'node:worker_threads';
import { messageOf } from '../../base/error-text.ts';
import { BrokenError } from '../../base/errors.ts';
import type { Deferred } from '../../base/deferred.ts';
import { deferred } from '../../base/deferred.ts';
import type { Failure } from './failure.ts';
import { fromFailure } from './failure.ts';
import type { DatabaseLocation } from './location.ts';
import { prepare } from './location.ts';
import type { Answer, CallMessage, CallName, Calls, ThreadData } from './protocol.ts';

/** A call under way: its number, for `cancel`, and its result. */
export interface PendingCall<T> {
  readonly number: number;
  readonly result: Promise<T>;
}

/** The calls of one tick that are made as one: what to add to, and the result of all. */
export interface Batch<Name extends CallName> {
  readonly argument: Calls[Name][0];
  readonly result: Promise<Calls[Name][1]>;
}

/** How long an exiting process waits for claims to be given back and files to be removed. */
const exitPatience = 1000;

/**
 * This thread's end of SQLite's own thread, shared by all brokers and backends of one file. Calls of one tick travel as
 * one message. Keeps the process alive only while a call is under way.
 */
export class SqliteClient {
  readonly library: string;
  /** Called when its thread has ended unasked. */
  onBreak: () => void = () => {};
  readonly #path: string;
  readonly #worker: Worker;
  readonly #closed: Int32Array;
  readonly #pending = new Map<number, Deferred<unknown>>();
  readonly #batches = new Map<unknown, Batch<CallName>>();
  #outbox: CallMessage[] = [];
  #calls = 0;
  #broken: Error | undefined;

  constructor(path: string, worker: Worker, closed: Int32Array, library: string) {
    this.#path = path;
    this.#worker = worker;
    this.#closed = closed;
    this.library = library;
    worker.on('message', (answers: Answer[]) => this.#receive(answers));
    worker.on('error', (error) => this.#break(error));
    worker.on('exit', () => this.#break(new Error('its thread has ended')));
    worker.unref();
    exiting.add(this);
  }

  call<Name extends CallName>(name: Name, argument: Calls[Name][0]): PendingCall<Calls[Name][1]> {
    const number = this.#calls++;
    if (this.#broken !== undefined) return { number, result: Promise.reject(this.#broken) };
    const pending = deferred<unknown>();
    if (this.#pending.size === 0) this.#worker.ref();
    this.#pending.set(number, pending);
    this.#post([number, name, argument] as unknown as CallMessage);
    return { number, result: pending.promise as Promise<Calls[Name][1]> };
  }

  /** Joins the calls of this tick that have the same key; `empty` makes the argument of the first. */
  batch<Name extends CallName>(key: unknown, name: Name, empty: () => Calls[Name][0]): Batch<Name> {
    let batch = this.#batches.get(key) as Batch<Name> | undefined;
    if (batch === undefined) {
      const argument = empty();
      batch = { argument, result: this.call(name, argument).result };
      this.#batches.set(key, batch);
    }
    return batch;
  }

  /** Has a `receive` or `wait` answered with undefined, unless its answer is already on its way. */
  cancel(call: number): void {
    if (this.#pending.has(call)) this.#post([this.#calls++, 'cancel', { call }]);
  }

  async close(): Promise<void> {
    exiting.delete(this);
    if (this.#broken !== undefined) return;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    try {
      await this.call('close', undefined).result;
    } finally {
      this.#worker.ref();
      await ended;
    }
  }

  /** For the end of the process, when nothing asynchronous happens any more. */
  closeSync(): void {
    if (this.#broken !== undefined) return;
    this.#post([this.#calls++, 'close', undefined]);
    this.#flush();
    Atomics.wait(this.#closed, 0, 0, exitPatience);
  }

  // A tick runs when all promise reactions have: whoever was answered together has then asked together.
  #post(call: CallMessage): void {
    if (this.#outbox.push(call) === 1) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    const outbox = this.#outbox;
    this.#outbox = [];
    this.#batches.clear();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(outbox);
  }

  #receive(answers: Answer[]): void {
    for (const [number, value, failure] of answers) {
      const pending = this.#pending.get(number);
      if (pending === undefined) continue;
      this.#pending.delete(number);
      if (failure === undefined) pending.resolve(value);
      else pending.reject(fromFailure(failure, this.#path));
    }
    if (this.#pending.size === 0) this.#worker.unref();
  }

  #break(cause: unknown): void {
    exiting.delete(this);
    this.#broken ??= new BrokenError(`the database ${JSON.stringify(this.#path)} is gone: ${messageOf(cause)}`, {
      cause,
    });
    for (const pending of this.#pending.values()) pending.reject(this.#broken);
    this.#pending.clear();
    this.onBreak();
  }
}

/** One holder's share of a client. */
export interface ClientShare {
  readonly client: SqliteClient;
  /** Idempotent. */
  release(): Promise<void>;
}

const clients = new Map<string, { client: Promise<SqliteClient>; handles: number }>();

/** Opens the database or joins those who have it open; the last release closes it. Throws what is wrong with the file. */
export async function acquireClient(location: DatabaseLocation): Promise<ClientShare> {
  const { path } = location;
  const entry = clients.get(path) ?? { client: open(location), handles: 0 };
  clients.set(path, entry);
  entry.handles++;
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    if (--entry.handles > 0) return Promise.resolve();
    if (clients.get(path) === entry) clients.delete(path);
    return entry.client.then(
      (client) => client.close(),
      () => {},
    );
  };
  try {
    const client = await entry.client;
    // Those who hold a broken one are told by their calls; newcomers get a new one.
    client.onBreak = () => {
      if (clients.get(path) === entry) clients.delete(path);
    };
    return { client, release: () => (released ??= release()) };
  } catch (error) {
    await release();
    throw error;
  }
}

async function open(location: DatabaseLocation): Promise<SqliteClient> {
  prepare(location);
  const closed = new Int32Array(new SharedArrayBuffer(4));
  const workerData: ThreadData = { ...location, closed };
  // Nothing of the program's own flags: a loader or an inspector has no business in there.
  const worker = new Worker(new URL('./thread.js', import.meta.url), {
    workerData,
    execArgv: [],
    name: 'simul-sqlite',
  });
  const hello = await new Promise<{ library: string } | { failure: Failure }>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new BrokenError("SQLite's thread ended before it was ready")));
  });
  if ('library' in hello) return new SqliteClient(location.path, worker, closed, hello.library);
  throw fromFailure(hello.failure, location.path);
}

const exiting = new Set<SqliteClient>();

process.on('exit', () => {
  for (const client of exiting) client.closeSync();
});
