import { realClock } from '../../../base/clock.ts';
import type { Deferred } from '../../../base/deferred.ts';
import { deferred } from '../../../base/deferred.ts';
import { pause } from '../../../base/pause.ts';
import type { StoredResult } from '../../backend.ts';
import { readyStates } from '../../backend.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { isTransient } from '../../redis/failure.ts';
import type { RedisClient } from '../../redis/library.ts';
import type { RedisLocation } from '../../redis/location.ts';

/** Reads results for those who wait, in the order of the ids. */
export type FetchResults = (ids: readonly string[]) => Promise<readonly (StoredResult | undefined)[]>;
/** Seconds between two questions whether the connection still stands: nothing comes by itself on a dead one. */
const pulse = 10;

/**
 * Waits for final results on one connection in publish/subscribe mode. It asks for the results only once they are
 * subscribed to, and again whenever the connection had to be made anew, so that none can be missed in between.
 */
export class ResultWaits {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #fetch: FetchResults;
  readonly #read: (id: string, document: string) => StoredResult;
  readonly #waiting = new Map<string, Set<Deferred<StoredResult>>>();
  readonly #stop = new AbortController();
  #wanted = new Set<string>();
  #unwanted = new Set<string>();
  #changing = false;
  #pulse: NodeJS.Timeout | undefined;

  constructor(
    location: RedisLocation,
    prefix: string,
    fetch: FetchResults,
    read: (id: string, document: string) => StoredResult,
  ) {
    this.#connection = new RedisConnection(location, { silence: 10, keepsAlive: false });
    this.#prefix = prefix;
    this.#fetch = fetch;
    this.#read = read;
    this.#connection.onUp((client) => this.#listen(client));
    this.#connection.onDown(() => this.#resubscribe());
  }

  /** Registers a wait; whoever does must call `leave` in the end. */
  join(id: string): Deferred<StoredResult> {
    const wait = deferred<StoredResult>();
    let waits = this.#waiting.get(id);
    if (waits === undefined) {
      this.#waiting.set(id, (waits = new Set()));
      this.#want(id);
    }
    waits.add(wait);
    return wait;
  }

  leave(id: string, wait: Deferred<StoredResult>): void {
    const waits = this.#waiting.get(id);
    if (waits?.delete(wait) !== true || waits.size > 0) return;
    this.#waiting.delete(id);
    this.#wanted.delete(id);
    // Also of one that was never subscribed to: that costs nothing.
    this.#unwanted.add(id);
    this.#change();
  }

  async close(error: Error): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#pulse);
    for (const waits of this.#waiting.values()) for (const wait of waits) wait.reject(error);
    await this.#connection.close();
  }

  #want(id: string): void {
    this.#unwanted.delete(id);
    // Also one that is still subscribed to: its result may have come when nobody waited.
    this.#wanted.add(id);
    this.#change();
  }

  #change(): void {
    if (this.#changing || this.#stop.signal.aborted) return;
    this.#changing = true;
    process.nextTick(() => void this.#subscribe().finally(() => this.#changed()));
  }

  // Somebody may have joined after the last look at the sets.
  #changed(): void {
    this.#changing = false;
    if (this.#wanted.size > 0 || this.#unwanted.size > 0) this.#change();
  }

  // What comes up while one round is under way goes into the next.
  async #subscribe(): Promise<void> {
    while ((this.#wanted.size > 0 || this.#unwanted.size > 0) && !this.#stop.signal.aborted) {
      const unwanted = [...this.#unwanted];
      const wanted = [...this.#wanted];
      this.#unwanted = new Set();
      this.#wanted = new Set();
      // A connection that is gone has no subscriptions to end.
      if (unwanted.length > 0 && this.#connection.isUp) void this.#command('unsubscribe', unwanted).catch(() => {});
      if (wanted.length === 0) continue;
      try {
        await this.#command('subscribe', wanted);
        await this.#look(wanted);
      } catch (error) {
        this.#failed(wanted, error);
        if (this.#wanted.size > 0) await pause(0.05, this.#stop.signal, realClock);
      }
    }
  }

  #command(command: string, ids: readonly string[]): Promise<unknown> {
    return this.#connection.call(
      command,
      ids.map((id) => `${this.#prefix}${id}`),
    );
  }

  async #look(ids: readonly string[]): Promise<void> {
    for (const result of await this.#fetch(ids)) if (result !== undefined) this.#arrive(result);
  }

  // Those that came together are read together.
  #lookAgain(id: string): void {
    this.#look([id]).catch((error: unknown) => {
      this.#failed([id], error);
      this.#change();
    });
  }

  #failed(ids: readonly string[], error: unknown): void {
    if (!isTransient(error)) this.#fail(ids, error);
    for (const id of ids) if (this.#waiting.has(id)) this.#wanted.add(id);
  }

  #listen(client: RedisClient): void {
    client.on('message', (channel: string, document: string) => {
      const id = channel.slice(this.#prefix.length);
      // Only a call to look: channels know no databases, and the result may be one of another's.
      if (this.#waiting.has(id) && readyStates.has(this.#read(id, document).state)) this.#lookAgain(id);
    });
    clearInterval(this.#pulse);
    // An answer that stays away ends the connection.
    const ask = () => void (this.#waiting.size > 0 && this.#connection.call('PING').catch(() => {}));
    this.#pulse = setInterval(ask, pulse * 1000).unref();
  }

  #resubscribe(): void {
    clearInterval(this.#pulse);
    this.#unwanted = new Set();
    for (const id of this.#waiting.keys()) this.#wanted.add(id);
    if (this.#wanted.size > 0) this.#change();
  }

  #arrive(result: StoredResult): void {
    if (!readyStates.has(result.state)) return;
    for (const wait of this.#waiting.get(result.id) ?? []) wait.resolve(result);
  }

  #fail(ids: readonly string[], error: unknown): void {
    for (const id of ids) {
      for (const wait of this.#waiting.get(id) ?? []) wait.reject(error);
      this.#waiting.delete(id);
    }
  }
}
