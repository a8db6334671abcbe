import { realClock } from '../../../base/clock.ts';
import type { ConsumerOptions } from '../../broker.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { fromScript } from '../../redis/failure.ts';
import { runScript } from '../../redis/script.ts';
import { RedisDelivery } from './delivery.ts';
import { endOfValue } from './json-text.ts';
import type { Layout } from './layout.ts';
import { readTag } from './layout.ts';
import { claimScript } from './scripts/claim.ts';

/** Messages claimed in one step: a few milliseconds of the server's time. */
const mostAtOnce = 500;

export interface Claimed {
  readonly deliveries: RedisDelivery[];
  /** Seconds until the first delayed message is due; Infinity if there is none. */
  readonly nextDue: number;
}

/** Claims messages for one consumer. One call at a time. */
export class Claims {
  readonly #connection: RedisConnection;
  readonly #layout: Layout;
  readonly #consumer: string;
  readonly #options: ConsumerOptions;
  #queues: readonly string[];
  #number = 0;
  /** From where on claims may have been made of which the answer was lost. */
  #doubtful: number | undefined;

  constructor(connection: RedisConnection, layout: Layout, consumer: string, options: ConsumerOptions) {
    this.#connection = connection;
    this.#layout = layout;
    this.#consumer = consumer;
    this.#options = options;
    this.#queues = [...new Set(options.queues)];
  }

  async take(max: number): Promise<Claimed> {
    await this.#connection.ready();
    if (this.#doubtful !== undefined) {
      const adopted = await this.#adopt(this.#doubtful);
      this.#doubtful = undefined;
      if (adopted.length > 0) return { deliveries: adopted, nextDue: Infinity };
    }
    return this.#claim(Math.min(max, mostAtOnce));
  }

  async #claim(max: number): Promise<Claimed> {
    const queues = this.#queues;
    const first = this.#number;
    this.#number += max;
    this.#doubtful = first;
    const args = [this.#consumer, first, max, this.#options.lease, this.#resultPrefix, ...queues];
    const asked = realClock.now();
    const answer = await runScript(this.#connection, claimScript, this.#keys(queues), args);
    this.#doubtful = undefined;
    const [nextDue, failure, ...lists] = answer as [string, string, ...ClaimedList[]];
    const deliveries: RedisDelivery[] = [];
    for (const [list, texts, documents] of lists) {
      const stored = { asked, of: (place: number) => documentOf(documents, place) };
      const step = Math.floor(list / queues.length);
      const queue = queues[list % queues.length]!;
      texts.forEach((text, i) => {
        const claim = { consumer: this.#consumer, number: first + deliveries.length, step, queue };
        deliveries.push(new RedisDelivery(claim, text, this.#options.limits, stored, i));
      });
    }
    // What was claimed is handed out; the failure comes back as long as there is one.
    if (failure !== '' && deliveries.length === 0) throw this.#failure(failure);
    // Equally urgent messages are taken from another queue first the next time.
    if (queues.length > 1) this.#queues = [...queues.slice(1), queues[0]!];
    return { deliveries, nextDue: nextDue === '' ? Infinity : Number(nextDue) };
  }

  /** The claims of a call whose answer was lost: they are ours, so nobody else would ever work on them. */
  async #adopt(first: number): Promise<RedisDelivery[]> {
    const tags = ((await this.#connection.call('SMEMBERS', [this.#layout.claims(this.#consumer)])) as string[])
      .filter((tag) => (readTag(tag)?.number ?? -1) >= first)
      .sort((a, b) => readTag(a)!.number - readTag(b)!.number);
    if (tags.length === 0) return [];
    const values = (await this.#connection.call('HMGET', [this.#layout.unacked, ...tags])) as (string | null)[];
    return tags.flatMap((tag, i) => {
      const value = values[i];
      if (value === null || value === undefined) return [];
      return [new RedisDelivery(readTag(tag)!, value.slice(1, endOfValue(value, 1)), this.#options.limits)];
    });
  }

  #keys(queues: readonly string[]): string[] {
    const layout = this.#layout;
    const { unacked, unackedIndex, consumers, quarantine } = layout;
    const own = [unacked, unackedIndex, consumers, layout.claims(this.#consumer), quarantine];
    return [...own, ...queues.map((queue) => layout.delayed(queue)), ...layout.lists(queues)];
  }

  get #resultPrefix(): string {
    const { results } = this.#options;
    return results?.server === this.#connection.location.key ? results.prefix : '';
  }

  #failure(failure: string): Error {
    const at = failure.search(/ [A-Z-]+ /);
    return fromScript(failure.slice(at + 1), failure.slice(0, Math.max(0, at)), this.#connection.location.label);
  }
}

/** A list's index, the messages from it, and what is stored of their tasks: '' for nothing, empty if nothing at all. */
type ClaimedList = [list: number, texts: string[], stored: (string | null)[] | null];

function documentOf(stored: ClaimedList[2], i: number): string | null | undefined {
  if (stored === null) return undefined;
  if (stored.length === 0) return null;
  return stored[i] === '' ? null : (stored[i] ?? undefined);
}
