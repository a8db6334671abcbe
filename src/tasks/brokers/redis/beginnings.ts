import type { RedisConnection } from '../../redis/connection.ts';
import { Batch } from '../../redis/batch.ts';
import { runScript } from '../../redis/script.ts';
import { beginScript } from './scripts/lease.ts';

/** Claims noted in one step. */
const mostAtOnce = 1000;

/**
 * Notes which of a consumer's claims were begun, for whoever gives them back should it be lost. What is left of a claim
 * that was settled is harmless, a tag never comes again; it goes at the end with its consumer.
 */
export class Beginnings {
  readonly #connection: RedisConnection;
  readonly #key: string;
  readonly #begun: Batch<string, void>;
  #ended: string[] = [];

  constructor(connection: RedisConnection, key: string) {
    this.#connection = connection;
    this.#key = key;
    this.#begun = new Batch(mostAtOnce, (tags) => this.#note(tags));
  }

  async add(tags: readonly string[]): Promise<void> {
    if (tags.length > 0) await this.#begun.add(tags);
  }

  /** Of claims that were settled. */
  forget(tags: readonly string[]): void {
    if (tags.length === 0) return;
    if (this.#ended.length === 0) process.nextTick(() => this.#clean());
    for (const tag of tags) this.#ended.push(tag);
  }

  async #note(tags: readonly string[]): Promise<undefined[]> {
    await runScript(this.#connection, beginScript, [this.#key], tags);
    return tags.map(() => undefined);
  }

  #clean(): void {
    const ended = this.#ended;
    this.#ended = [];
    for (let at = 0; at < ended.length; at += mostAtOnce) {
      const tags = ended.slice(at, at + mostAtOnce);
      this.#connection.call('SREM', [this.#key, ...tags]).catch(() => {});
    }
  }
}
