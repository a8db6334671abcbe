import { ConnectionError } from '../../../base/errors.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import type { ServerFacts } from '../../redis/handshake.ts';
import { fromScript, isTransient } from '../../redis/failure.ts';
import { persist } from '../../redis/persistence.ts';
import { runScript } from '../../redis/script.ts';
import { publishScript, recordScript } from './scripts/publish.ts';

/** Messages that are stored together or not at all. */
export interface Batch {
  /** The key that tells whether it is stored already. */
  readonly record: string;
  /** What that key holds then. */
  readonly number: string;
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** May have been sent before, say by another process. */
  readonly resent: boolean;
}

/** A list that cannot be written, and so nothing of its batch was. */
export class ListRefused extends Error {
  readonly list: string;
  readonly reason: Error;

  constructor(list: string, reason: Error) {
    super(reason.message);
    this.list = list;
    this.reason = reason;
  }
}

/** The connection on which transactions were sent last. */
interface Transacted {
  readonly server: ServerFacts | undefined;
  readonly id: Promise<unknown>;
  ended: Promise<void> | undefined;
}

/** From here on a transaction is cheaper: a script costs Redis two copies of each message, it some commands a batch. */
const largeBatch = 10;

/** Puts batches into their lists, each of them once, however often it has to be sent. */
export class BatchStore {
  readonly #connection: RedisConnection;
  readonly #retryTimeout: number;
  #mayTransact: Promise<boolean> | undefined;
  #transacted: Transacted | undefined;

  constructor(connection: RedisConnection, retryTimeout: number) {
    this.#connection = connection;
    this.#retryTimeout = retryTimeout;
  }

  /**
   * Tries until it is stored, for `retryTimeout` seconds counted from `since`. Calls `before` for what is to be sent ahead
   * of each attempt. Throws ListRefused, or ConnectionError.
   */
  store(batch: Batch, since: number, before: () => Promise<void>): Promise<void> {
    let { resent } = batch;
    const attempt = async () => {
      await this.#connection.ready();
      const known = resent;
      resent = true;
      if (known) await this.#endLost();
      // Only the script finds out whether an earlier attempt has stored it.
      await Promise.all([before(), known ? this.#script(batch) : this.#write(batch)]);
    };
    return persist(this.#retryTimeout, attempt, since);
  }

  async #write(batch: Batch): Promise<void> {
    const [first, second] = batch.lists;
    const [list, texts] = first!;
    if (second !== undefined || texts.length < largeBatch) return this.#script(batch);
    // Where a user lacks the right to MULTI, what follows it would be done all the same, one by one.
    this.#mayTransact ??= this.#tryTransaction();
    return (await this.#mayTransact) ? this.#transact(batch, list, texts) : this.#script(batch);
  }

  async #tryTransaction(): Promise<boolean> {
    try {
      await this.#connection.transaction([]);
      return true;
    } catch (error) {
      if (!isTransient(error)) return false;
      this.#mayTransact = undefined;
      throw error;
    }
  }

  async #transact({ record, number }: Batch, list: string, texts: readonly string[]): Promise<void> {
    this.#note();
    const [pushed] = await this.#connection.transaction([
      ['LPUSH', [list, ...texts]],
      ['EVAL', [recordScript, 2, record, list, number]],
    ]);
    if (pushed instanceof Error) this.#refuse(pushed.message, list);
  }

  /** Asks under which number the server knows the connection, for the first transaction on it. */
  #note(): void {
    const { server } = this.#connection;
    if (this.#transacted?.server === server) return;
    const id = this.#connection.call('CLIENT', ['ID']).catch(() => undefined);
    this.#transacted = { server, id, ended: undefined };
  }

  // What was written to a connection that is lost may arrive after its own repetition, when the network comes to it, and a
  // transaction does not look at the record. A server that has ended the connection does not read on.
  async #endLost(): Promise<void> {
    const lost = this.#transacted;
    if (lost === undefined || lost.server === this.#connection.server) return;
    lost.ended ??= this.#end(lost);
    await lost.ended;
  }

  async #end(lost: Transacted): Promise<void> {
    try {
      const id = await lost.id;
      if (typeof id === 'number') await this.#connection.call('CLIENT', ['KILL', 'ID', id]);
    } catch (error) {
      // It has ended already, or the user may not end it.
      if (!isTransient(error)) return;
      lost.ended = undefined;
      throw error;
    }
  }

  async #script({ record, number, lists }: Batch): Promise<void> {
    const args = [number];
    for (const texts of lists.values()) args.push(String(texts.length));
    for (const texts of lists.values()) for (const text of texts) args.push(text);
    const answer = await runScript(this.#connection, publishScript, [record, ...lists.keys()], args);
    const [error, list] = answer as [string, string?];
    if (error !== '') this.#refuse(error, list!);
  }

  #refuse(error: string, list: string): never {
    const reason = fromScript(error, list, this.#connection.location.label);
    throw reason instanceof ConnectionError ? reason : new ListRefused(list, reason);
  }
}
