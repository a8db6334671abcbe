import type { Envelope } from '../../envelope.ts';
import { encodeEnvelope } from '../../envelope.ts';
import type { Binding, Exchange, Fanout, Subscription } from '../../fanout.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { Inbox } from './inbox.ts';
import type { Layout } from './layout.ts';
import { separator } from './layout.ts';
import { Subscriber } from './subscriber.ts';

/** Seconds that a reply lies in its list if nobody comes for it; kombu lets it lie for ever. */
const replyLifetime = 300;

/**
 * Remote control and events as kombu has them on Redis: exchanges that are `fanout` or `topic` are channels of publish and
 * subscribe, `direct` ones are lists that `_kombu.binding.<exchange>` names.
 */
export class RedisFanout implements Fanout {
  readonly #connection: RedisConnection;
  readonly #layout: Layout;
  readonly #subscriber: Subscriber;
  readonly #inboxes = new Set<Inbox>();

  /** `connection` is for commands and stays its owner's. */
  constructor(connection: RedisConnection, layout: Layout) {
    this.#connection = connection;
    this.#layout = layout;
    // The number of the database is part of the name, for channels know no databases.
    this.#subscriber = new Subscriber(connection.location, `${layout.prefix}/${connection.location.database}.`);
  }

  async publish(exchange: Exchange, routingKey: string, envelope: Envelope): Promise<void> {
    const text = encodeEnvelope(envelope);
    if (exchange.type === 'direct') return this.#put(exchange.name, routingKey, text);
    await this.#connection.call('PUBLISH', [this.#subscriber.channel(exchange.name, routingKey), text]);
  }

  async subscribe(binding: Binding): Promise<Subscription> {
    if (binding.exchange.type !== 'direct') return this.#subscriber.subscribe(binding);
    const inbox = new Inbox(binding, this.#connection, this.#layout, () => this.#inboxes.delete(inbox));
    this.#inboxes.add(inbox);
    await inbox.open();
    return inbox;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#inboxes].map((inbox) => inbox.close()));
    await this.#subscriber.close();
  }

  async #put(exchange: string, routingKey: string, text: string): Promise<void> {
    const members = (await this.#connection.call('SMEMBERS', [this.#layout.binding(exchange)])) as string[];
    const queues = members.flatMap((member) => {
      const [key, , queue] = member.split(separator);
      return key === routingKey && queue !== undefined ? [queue] : [];
    });
    for (const queue of new Set(queues)) {
      const list = this.#layout.list(queue, 0);
      await Promise.all([
        this.#connection.call('LPUSH', [list, text]),
        this.#connection.call('EXPIRE', [list, replyLifetime]),
      ]);
    }
  }
}
