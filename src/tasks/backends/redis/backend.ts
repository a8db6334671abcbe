import { onAbort } from '../../../base/abort.ts';
import { cancelledBy, throwIfAborted } from '../../../base/deadline.ts';
import { ClosedError } from '../../../base/errors.ts';
import { KeepAlive } from '../../../base/keep-alive.ts';
import type { Backend, BackendCapabilities, BackendOptions, ResultPlace, StoredResult } from '../../backend.ts';
import { resultLifetime } from '../../backend.ts';
import { storedState } from '../../result-document.ts';
import { Batch } from '../../redis/batch.ts';
import { makeClient } from '../../redis/library.ts';
import type { RedisLocation } from '../../redis/location.ts';
import { impatient, locateRedis } from '../../redis/location.ts';
import { persist } from '../../redis/persistence.ts';
import { runScript } from '../../redis/script.ts';
import type { ConnectionShare } from '../../redis/shared.ts';
import { shareConnection } from '../../redis/shared.ts';
import { storeScript } from './store-script.ts';
import { ResultWaits } from './waits.ts';

/** Results written or read in one step. */
const mostAtOnce = 1000;

/** The result backend on Redis or Valkey: Celery's keys, documents and channels. Throws MissingLibraryError. */
export async function openRedisBackend(url: string, options: BackendOptions): Promise<Backend> {
  const lifetime = resultLifetime(options);
  const location = impatient(locateRedis(url), options.patience);
  // A library that is missing should be reported now, and not when something is asked.
  (await makeClient({ lazyConnect: true })).disconnect();
  return new RedisBackend(location, shareConnection(location), lifetime);
}

class RedisBackend implements Backend {
  readonly capabilities: BackendCapabilities = { durable: true, shared: true };
  readonly place: ResultPlace;
  readonly #location: RedisLocation;
  readonly #share: ConnectionShare;
  readonly #prefix: string;
  readonly #lifetime: number;
  readonly #waits: ResultWaits;
  readonly #stores: Batch<StoredResult, void>;
  readonly #fetches: Batch<string, StoredResult | undefined>;
  readonly #keepAlive = new KeepAlive();
  #closing: Promise<void> | undefined;

  constructor(location: RedisLocation, share: ConnectionShare, lifetime: number) {
    this.#location = location;
    this.#share = share;
    this.#prefix = `${keyPrefix(location.keyPrefix)}celery-task-meta-`;
    this.place = { server: location.key, prefix: this.#prefix };
    this.#lifetime = Math.ceil(lifetime * 1000);
    this.#stores = new Batch(
      mostAtOnce,
      (results) => this.#write(results),
      ({ document }) => document.length,
    );
    this.#fetches = new Batch(mostAtOnce, (ids) => this.#read(ids));
    this.#waits = new ResultWaits(location, this.#prefix, (ids) => this.#fetches.add(ids), toResult);
  }

  async store(results: readonly StoredResult[]): Promise<void> {
    this.#checkOpen();
    if (results.length > 0) await this.#stores.add(results);
  }

  async fetch(ids: readonly string[]): Promise<(StoredResult | undefined)[]> {
    this.#checkOpen();
    return ids.length === 0 ? [] : [...(await this.#fetches.add(ids))];
  }

  async wait(id: string, signal?: AbortSignal): Promise<StoredResult> {
    this.#checkOpen();
    throwIfAborted(signal);
    const wait = this.#waits.join(id);
    const forget = onAbort(signal, () => wait.reject(cancelledBy(signal!)));
    this.#keepAlive.hold();
    try {
      return await wait.promise;
    } finally {
      this.#keepAlive.release();
      forget();
      this.#waits.leave(id, wait);
    }
  }

  async forget(ids: readonly string[]): Promise<void> {
    this.#checkOpen();
    if (ids.length > 0)
      await this.#ask(() =>
        this.#share.connection.call(
          'DEL',
          ids.map((id) => this.#key(id)),
        ),
      );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#waits.close(new ClosedError('the result backend was closed'));
    await this.#share.release();
  }

  async #write(results: readonly StoredResult[]): Promise<undefined[]> {
    // Hardly ever more than one part; in their order, which counts for results of the same task.
    for (const part of byLifetime(results)) await this.#writePart(part, part[0]!.keep === true ? 0 : this.#lifetime);
    return results.map(() => undefined);
  }

  async #writePart(results: readonly StoredResult[], lifetime: number): Promise<void> {
    const keys = results.map(({ id }) => this.#key(id));
    const args: (string | number)[] = [lifetime];
    for (const { document } of results) args.push(document);
    // To store a result twice changes nothing.
    await this.#ask(() => runScript(this.#share.connection, storeScript, keys, args));
  }

  async #read(ids: readonly string[]): Promise<(StoredResult | undefined)[]> {
    const keys = ids.map((id) => this.#key(id));
    const documents = (await this.#ask(() => this.#share.connection.call('MGET', keys))) as (string | null)[];
    return documents.map((document, i) => (document === null ? undefined : toResult(ids[i]!, document)));
  }

  #ask<T>(question: () => Promise<T>): Promise<T> {
    return persist(this.#location.retryTimeout, question);
  }

  #key(id: string): string {
    return `${this.#prefix}${id}`;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('the result backend is closed');
  }
}

function byLifetime(results: readonly StoredResult[]): StoredResult[][] {
  const parts: StoredResult[][] = [];
  for (const result of results) {
    const part = parts.at(-1);
    if (part !== undefined && (part[0]!.keep === true) === (result.keep === true)) part.push(result);
    else parts.push([result]);
  }
  return parts;
}

// Celery's rule for results, unlike that for queues.
function keyPrefix(prefix: string): string {
  return prefix === '' || /[:_.-]$/.test(prefix) ? prefix : `${prefix}_`;
}

function toResult(id: string, document: string): StoredResult {
  return { id, state: storedState(document), document };
}
