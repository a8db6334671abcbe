import { onAbort } from '../../../base/abort.ts';
import { cancelledBy, throwIfAborted } from '../../../base/deadline.ts';
import { ClosedError } from '../../../base/errors.ts';
import type { Backend, BackendCapabilities, BackendOptions, StoredResult } from '../../backend.ts';
import { resultLifetime } from '../../backend.ts';
import type { ClientShare, SqliteClient } from '../../sqlite/client.ts';
import { acquireClient } from '../../sqlite/client.ts';
import { locate } from '../../sqlite/location.ts';
import type { ResultRow } from '../../sqlite/protocol.ts';

/** The embedded result backend: a SQLite file shared by the processes of one machine. */
export async function openSqliteBackend(url: string, options: BackendOptions): Promise<Backend> {
  const lifetime = resultLifetime(options);
  return new SqliteBackend(await acquireClient(locate(url)), lifetime);
}

class SqliteBackend implements Backend {
  readonly capabilities: BackendCapabilities = { durable: true, shared: true };
  readonly #share: ClientShare;
  readonly #lifetime: number;
  readonly #waits = new Set<number>();
  #closing: Promise<void> | undefined;

  constructor(share: ClientShare, lifetime: number) {
    this.#share = share;
    this.#lifetime = lifetime;
  }

  async store(results: readonly StoredResult[]): Promise<void> {
    const client = this.#open();
    if (results.length === 0) return;
    const empty = () => ({ ids: [], states: [], documents: [], lifetimes: [] });
    const { argument, result } = client.batch('store', 'store', empty);
    for (const { id, state, document, keep } of results) {
      argument.ids.push(id);
      argument.states.push(state);
      argument.documents.push(document);
      argument.lifetimes.push(keep === true ? 0 : this.#lifetime);
    }
    await result;
  }

  async fetch(ids: readonly string[]): Promise<(StoredResult | undefined)[]> {
    const { argument, result } = this.#open().batch('fetch', 'fetch', () => ({ ids: [] }));
    const start = argument.ids.length;
    for (const id of ids) argument.ids.push(id);
    const rows = await result;
    return rows.slice(start, start + ids.length).map((row) => (row === undefined ? undefined : toResult(row)));
  }

  async wait(id: string, signal?: AbortSignal): Promise<StoredResult> {
    const client = this.#open();
    throwIfAborted(signal);
    const { number, result } = client.call('wait', { id });
    const forgetSignal = onAbort(signal, () => client.cancel(number));
    this.#waits.add(number);
    try {
      const row = await result;
      if (row !== undefined) return toResult(row);
    } finally {
      this.#waits.delete(number);
      forgetSignal();
    }
    if (signal?.aborted) throw cancelledBy(signal);
    throw new ClosedError('the result backend was closed');
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.#open().call('forget', { ids: [...ids] }).result;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const call of this.#waits) this.#share.client.cancel(call);
    await this.#share.release();
  }

  #open(): SqliteClient {
    if (this.#closing !== undefined) throw new ClosedError('the result backend is closed');
    return this.#share.client;
  }
}

function toResult([id, state, document]: ResultRow): StoredResult {
  return { id, state, document };
}
