import { realClock } from '../../../base/clock.ts';
import { within } from '../../../base/deadline.ts';
import type { Deferred } from '../../../base/deferred.ts';
import { deferred } from '../../../base/deferred.ts';
import { ConnectionError, InvalidStateError } from '../../../base/errors.ts';
import { uuid } from '../../../base/ids.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { fromScript } from '../../redis/failure.ts';
import { persist } from '../../redis/persistence.ts';
import { runScript } from '../../redis/script.ts';
import type { Layout } from './layout.ts';
import { bindingMember } from './layout.ts';
import type { ListedMessage } from './outgoing.ts';
import { publishScript } from './scripts/publish.ts';

/** Messages of one batch; a single call with more is still one batch. */
const batchMessages = 1000;
const batchLength = 4 * 2 ** 20;
/** Messages that may wait while the server cannot be reached; further calls fail at once. */
const mostWaiting = 10_000;

/**
 * Sends messages in batches, one under way at a time: what comes meanwhile goes into the next. During an outage a call
 * is tried again for `retryTimeout` seconds, then rejects with ConnectionError.
 */
export class Publisher {
  readonly #connection: RedisConnection;
  readonly #layout: Layout;
  readonly #retryTimeout: number;
  readonly #id = uuid();
  readonly #bound = new Set<string>();
  readonly #warned = new Set<string>();
  #calls: Call[] = [];
  #waiting = 0;
  #batches = 0;
  #running = false;
  /** Why the last batch could not be sent, and when that was known. */
  #outage: { readonly error: Error; readonly time: number } | undefined;

  constructor(connection: RedisConnection, layout: Layout, retryTimeout: number) {
    this.#connection = connection;
    this.#retryTimeout = retryTimeout;
    this.#layout = layout;
    connection.onDown(() => this.#bound.clear());
  }

  /** With a token, all or nothing is stored, and once only, however often it is called with it within a day. */
  publish(messages: readonly ListedMessage[], token?: string): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    if (this.#waiting + messages.length > mostWaiting && this.#waiting > 0 && !this.#connection.isUp) {
      const full = `${this.#waiting} messages wait for Redis at ${this.#connection.location.label}, which cannot be reached`;
      return Promise.reject(new ConnectionError(`${full}: no more are taken`));
    }
    const call = { messages, token, since: realClock.now(), done: deferred() };
    this.#calls.push(call);
    this.#waiting += messages.length;
    if (!this.#running) this.#start();
    return call.done.promise;
  }

  /** Forgets the number of the last batch with the server, if that is there. */
  async close(): Promise<void> {
    if (this.#batches === 0 || !this.#connection.isUp) return;
    const forgotten = this.#connection.call('DEL', [this.#layout.published(this.#id)]);
    await within(forgotten, { timeout: 1 }).catch(() => {});
  }

  // A tick runs when all promise reactions have: calls that were made together go out together.
  #start(): void {
    this.#running = true;
    process.nextTick(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#calls.length > 0) {
      this.#failOverdue();
      if (this.#calls.length > 0) await this.#send(this.#nextBatch());
    }
    this.#running = false;
  }

  // Against a server that is silent each attempt takes long: who waited behind one for all of his time gets no other.
  #failOverdue(): void {
    const outage = this.#outage;
    if (outage === undefined || this.#connection.isUp) return;
    const now = realClock.now();
    const overdue = ({ since }: Call) => since < outage.time && now - since > this.#retryTimeout;
    for (const call of this.#calls) if (overdue(call)) this.#finish(call, outage.error);
    this.#calls = this.#calls.filter((call) => !overdue(call));
  }

  #nextBatch(): Call[] {
    let count = 0;
    let length = 0;
    let calls = 0;
    for (const { messages, token } of this.#calls) {
      if (token !== undefined) return this.#calls.splice(0, Math.max(calls, 1));
      for (const { text } of messages) length += text.length;
      count += messages.length;
      if (calls > 0 && (count > batchMessages || length > batchLength)) break;
      calls++;
    }
    return this.#calls.splice(0, calls);
  }

  async #send(calls: Call[]): Promise<void> {
    try {
      await this.#store(calls);
      this.#outage = undefined;
      for (const call of calls) this.#finish(call);
    } catch (error) {
      if (error instanceof ConnectionError) this.#outage = { error, time: realClock.now() };
      if (error instanceof ListRefused) return this.#separate(calls, error);
      for (const call of calls) this.#finish(call, error);
    }
  }

  // One list that cannot be written must not fail those who send to others.
  async #separate(calls: readonly Call[], refused: ListRefused): Promise<void> {
    const others: Call[] = [];
    for (const call of calls) {
      if (call.messages.some((message) => this.#list(message) === refused.list)) this.#finish(call, refused.reason);
      else others.push(call);
    }
    if (others.length > 0) await this.#send(others);
  }

  #finish(call: Call, error?: unknown): void {
    this.#waiting -= call.messages.length;
    if (error === undefined) call.done.resolve();
    else call.done.reject(error);
  }

  async #store(calls: readonly Call[]): Promise<void> {
    const lists = new Map<string, string[]>();
    for (const { messages } of calls) {
      for (const message of messages) {
        const list = this.#list(message);
        const texts = lists.get(list);
        if (texts === undefined) lists.set(list, [message.text]);
        else texts.push(message.text);
      }
    }
    const { since, token } = calls[0]!;
    const record = this.#layout.published(token ?? this.#id);
    const texts = [...lists.values()];
    const args = [token === undefined ? this.#batches++ : 'once', ...texts.map((list) => list.length)].map(String);
    for (const list of texts) for (const text of list) args.push(text);
    await persist(this.#retryTimeout, () => this.#attempt(calls, [record, ...lists.keys()], args), since);
    // Nobody will ask again; if this is lost, the key expires.
    if (token !== undefined) this.#connection.call('DEL', [record]).catch(() => {});
  }

  async #attempt(calls: readonly Call[], keys: string[], args: string[]): Promise<void> {
    await this.#connection.ready();
    const [, answer] = await Promise.all([this.#bind(calls), runScript(this.#connection, publishScript, keys, args)]);
    const [error, list] = answer as [string, string?];
    if (error === '') return;
    const reason = fromScript(error, list!, this.#connection.location.label);
    throw reason instanceof ConnectionError ? reason : new ListRefused(list!, reason);
  }

  // Once for each connection and queue, as kombu does: Celery finds by it where a message is to be given back.
  async #bind(calls: readonly Call[]): Promise<void> {
    const queues = new Set(calls.flatMap(({ messages }) => messages.map(({ queue }) => queue)));
    const unbound = [...queues].filter((queue) => !this.#bound.has(queue));
    const bind = async (queue: string) => {
      await this.#connection.call('SADD', [this.#layout.binding(queue), bindingMember(queue, queue)]);
      this.#bound.add(queue);
    };
    // What fails here fails the batch too, or is no reason to fail it.
    for (const outcome of await Promise.allSettled(unbound.map(bind))) {
      if (outcome.status === 'rejected') this.#warn(outcome.reason);
    }
  }

  #warn(error: unknown): void {
    if (!(error instanceof InvalidStateError) || this.#warned.has(error.message)) return;
    this.#warned.add(error.message);
    process.emitWarning(`Celery's workers cannot give back messages of a queue: ${error.message}`, 'SimulWarning');
  }

  #list({ queue, step }: ListedMessage): string {
    return this.#layout.list(queue, step);
  }
}

interface Call {
  readonly messages: readonly ListedMessage[];
  readonly token: string | undefined;
  readonly since: number;
  readonly done: Deferred<void>;
}

class ListRefused extends Error {
  readonly list: string;
  readonly reason: Error;

  constructor(list: string, reason: Error) {
    super(reason.message);
    this.list = list;
    this.reason = reason;
  }
}
