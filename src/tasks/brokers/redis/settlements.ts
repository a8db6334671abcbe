import type { Deferred } from '../../../base/deferred.ts';
import { deferred } from '../../../base/deferred.ts';
import type { ReleaseOptions } from '../../broker.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { fromScript } from '../../redis/failure.ts';
import { portions } from '../../redis/portions.ts';
import { runScript } from '../../redis/script.ts';
import type { RedisDelivery } from './delivery.ts';
import type { Layout } from './layout.ts';
import { delayedTag } from './layout.ts';
import { returnedMessage, routeOf } from './returned-message.ts';
import { acknowledgeScript, quarantineScript, releaseScript } from './scripts/settle.ts';

/** Claims settled in one step. */
const mostAtOnce = 1000;

/** Ends the claims of one consumer; what is asked in one tick goes out together. */
export class Settlements {
  readonly #connection: RedisConnection;
  readonly #layout: Layout;
  readonly #claims: string;
  #releases: Release[] = [];
  #released: Deferred<void> = deferred();

  constructor(connection: RedisConnection, layout: Layout, consumer: string) {
    this.#connection = connection;
    this.#layout = layout;
    this.#claims = layout.claims(consumer);
  }

  async acknowledge(tags: readonly string[]): Promise<boolean[]> {
    const parts = portions(tags, mostAtOnce, (tag) => tag.length);
    if (parts.length === 1) return this.#acknowledge(tags);
    return (await Promise.all(parts.map((some) => this.#acknowledge(some)))).flat();
  }

  async #acknowledge(tags: readonly string[]): Promise<boolean[]> {
    const answer = await runScript(this.#connection, acknowledgeScript, this.#keys(), tags);
    return Array.isArray(answer) ? answer.map((held) => held === 1) : tags.map(() => true);
  }

  release(deliveries: readonly RedisDelivery[], options: ReleaseOptions): Promise<void> {
    if (deliveries.length === 0) return Promise.resolve();
    for (const delivery of deliveries) this.#releases.push(this.#prepare(delivery, options));
    if (this.#releases.length === deliveries.length) process.nextTick(() => this.#flush());
    return this.#released.promise;
  }

  async quarantine(tag: string, entry: object): Promise<void> {
    const keys = [...this.#keys(), this.#layout.quarantine];
    await runScript(this.#connection, quarantineScript, keys, [tag, JSON.stringify(entry)]);
  }

  #flush(): void {
    const releases = this.#releases;
    const done = this.#released;
    this.#releases = [];
    this.#released = deferred();
    const work = Promise.all(
      portions(releases, mostAtOnce, ({ message }) => message.length).map((some) => this.#send(some)),
    );
    work.then(() => done.resolve(), done.reject);
  }

  async #send(releases: readonly Release[]): Promise<void> {
    const keys = [...this.#keys(), ...releases.map(({ key }) => key)];
    const args = releases.flatMap((one) => [one.tag, one.message, one.due, one.newTag, one.tail]);
    const failures = (await runScript(this.#connection, releaseScript, keys, args)) as string[];
    if (failures.length > 0) throw fromScript(failures[1]!, failures[0]!, this.#connection.location.label);
  }

  #prepare({ tag, claim, text }: RedisDelivery, { due, attempted = false, last = false }: ReleaseOptions): Release {
    const { queue, step } = claim;
    const message = returnedMessage(text, attempted);
    if (due === undefined) {
      return { tag, key: this.#layout.list(queue, step), message, due: last ? 'last' : '', newTag: '', tail: '' };
    }
    const { exchange = '', routingKey = queue } = routeOf(message);
    return {
      tag,
      key: this.#layout.delayed(queue),
      message,
      due: String(due),
      newTag: delayedTag(claim, Buffer.byteLength(message)),
      tail: `,${JSON.stringify(exchange)},${JSON.stringify(routingKey)}]`,
    };
  }

  #keys(): string[] {
    return [this.#layout.unacked, this.#layout.unackedIndex, this.#claims];
  }
}

interface Release {
  readonly tag: string;
  readonly key: string;
  readonly message: string;
  /** A time, '' for the front of the list, or 'last' for its back. */
  readonly due: string;
  readonly newTag: string;
  readonly tail: string;
}
