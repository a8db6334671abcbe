import { realClock } from '../../../base/clock.ts';
import { within } from '../../../base/deadline.ts';
import type { Deferred } from '../../../base/deferred.ts';
import { deferred } from '../../../base/deferred.ts';
import { ConnectionError, InvalidStateError } from '../../../base/errors.ts';
import { uuid } from '../../../base/ids.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { BatchStore, ListRefused } from './batch-store.ts';
import type { Layout } from './layout.ts';
import { bindingMember } from './layout.ts';
import type { ListedMessage } from './outgoing.ts';

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
  readonly #batchStore: BatchStore;
  readonly #id = uuid();
  readonly #bound = new Set<string>();
  readonly #warned = new Set<string>();
  #calls: Call[] = [];
  /** The last call of this tick, if it is still waiting. */
  #last: Call | undefined;
  #waiting = 0;
  #batches = 0;
  #running = false;
  /** Why the last batch could not be sent, and when that was known. */
  #outage: { readonly error: Error; readonly time: number } | undefined;

  constructor(connection: RedisConnection, layout: Layout, retryTimeout: number) {
    this.#connection = connection;
    this.#retryTimeout = retryTimeout;
    this.#layout = layout;
    this.#batchStore = new BatchStore(connection, retryTimeout);
    connection.onDown(() => this.#bound.clear());
  }

  /** With a token, all or nothing is stored, and once only, however often it is called with it within a day. */
  publish(messages: readonly ListedMessage[], token?: string): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    if (this.#waiting + messages.length > mostWaiting && this.#waiting > 0 && !this.#connection.isUp) {
      const full = `${this.#waiting} messages wait for Redis at ${this.#connection.location.label}, which cannot be reached`;
      return Promise.reject(new ConnectionError(`${full}: no more are taken`));
    }
    this.#waiting += messages.length;
    const call = this.#join(messages, token) ?? this.#add(messages, token);
    return call.done.promise;
  }

  /** Forgets the number of the last batch with the server, if that is there. */
  async close(): Promise<void> {
    if (this.#batches === 0 || !this.#connection.isUp) return;
    const forgotten = this.#connection.call('DEL', [this.#layout.published(this.#id)]);
    await within(forgotten, { timeout: 1 }).catch(() => {});
  }

  // Single messages of one tick for the same list share their fate, and so a promise.
  #join(messages: readonly ListedMessage[], token: string | undefined): Call | undefined {
    const call = this.#last;
    if (call === undefined || call.token !== undefined || token !== undefined || messages.length > 1) return undefined;
    const [{ list, text }] = messages as [ListedMessage];
    if (call.parcels.length > 1 || call.parcels[0]!.list !== list) return undefined;
    if (call.count >= batchMessages || call.length + text.length > batchLength) return undefined;
    call.parcels[0]!.texts.push(text);
    call.count++;
    call.length += text.length;
    return call;
  }

  #add(messages: readonly ListedMessage[], token: string | undefined): Call {
    const length = messages.reduce((sum, { text }) => sum + text.length, 0);
    const parcels = parcelsOf(messages);
    const call = { parcels, count: messages.length, length, token, since: realClock.now(), done: deferred() };
    this.#calls.push(call);
    // A tick runs when all promise reactions have: calls that were made together go out together.
    if (this.#last === undefined) process.nextTick(() => this.#endTick());
    this.#last = call;
    return call;
  }

  #endTick(): void {
    this.#last = undefined;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#calls.length > 0) {
      // Nobody may join a call that is taken, and this may be in the midst of a tick.
      this.#last = undefined;
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
    for (const call of this.#calls) {
      if (call.token !== undefined) return this.#calls.splice(0, Math.max(calls, 1));
      length += call.length;
      count += call.count;
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
      if (call.parcels.some(({ list }) => list === refused.list)) this.#finish(call, refused.reason);
      else others.push(call);
    }
    if (others.length > 0) await this.#send(others);
  }

  #finish(call: Call, error?: unknown): void {
    this.#waiting -= call.count;
    if (error === undefined) call.done.resolve();
    else call.done.reject(error);
  }

  async #store(calls: readonly Call[]): Promise<void> {
    const { since, token } = calls[0]!;
    const record = this.#layout.published(token ?? this.#id);
    const number = token === undefined ? String(this.#batches++) : 'once';
    const batch = { record, number, lists: listsOf(calls), resent: token !== undefined };
    await this.#batchStore.store(batch, since, () => this.#bind(calls));
    // Nobody will ask again; if this is lost, the key expires.
    if (token !== undefined) this.#connection.call('DEL', [record]).catch(() => {});
  }

  // Once for each connection and queue, as kombu does: Celery finds by it where a message is to be given back.
  async #bind(calls: readonly Call[]): Promise<void> {
    const unbound = new Set<string>();
    for (const { parcels } of calls) for (const { queue } of parcels) if (!this.#bound.has(queue)) unbound.add(queue);
    if (unbound.size === 0) return;
    const bind = async (queue: string) => {
      await this.#connection.call('SADD', [this.#layout.binding(queue), bindingMember(queue, queue)]);
      this.#bound.add(queue);
    };
    // What fails here fails the batch too, or is no reason to fail it.
    for (const outcome of await Promise.allSettled([...unbound].map(bind))) {
      if (outcome.status === 'rejected') this.#warn(outcome.reason);
    }
  }

  #warn(error: unknown): void {
    if (!(error instanceof InvalidStateError) || this.#warned.has(error.message)) return;
    this.#warned.add(error.message);
    process.emitWarning(`Celery's workers cannot give back messages of a queue: ${error.message}`, 'SimulWarning');
  }
}

interface Call {
  readonly parcels: readonly Parcel[];
  count: number;
  length: number;
  readonly token: string | undefined;
  readonly since: number;
  readonly done: Deferred<void>;
}

/** The messages of a call for one list. */
interface Parcel {
  readonly queue: string;
  readonly list: string;
  readonly texts: string[];
}

function parcelsOf(messages: readonly ListedMessage[]): Parcel[] {
  const parcels = new Map<string, Parcel>();
  for (const { queue, list, text } of messages) {
    const parcel = parcels.get(list);
    if (parcel === undefined) parcels.set(list, { queue, list, texts: [text] });
    else parcel.texts.push(text);
  }
  return [...parcels.values()];
}

function listsOf(calls: readonly Call[]): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const { parcels } of calls) {
    for (const { list, texts } of parcels) {
      const known = lists.get(list);
      if (known === undefined) lists.set(list, calls.length === 1 ? texts : [...texts]);
      else for (const text of texts) known.push(text);
    }
  }
  return lists;
}
