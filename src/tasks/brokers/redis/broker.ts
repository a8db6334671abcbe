import { ClosedError } from '../../../base/errors.ts';
import type {
  Broker,
  BrokerCapabilities,
  BrokerOptions,
  Consumer,
  ConsumerOptions,
  OutgoingMessage,
  QuarantinedMessage,
  QueueSize,
} from '../../broker.ts';
import { checkConsumerOptions } from '../../consumer-options.ts';
import { isRecord } from '../../envelope.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { isTransient } from '../../redis/failure.ts';
import { makeClient } from '../../redis/library.ts';
import type { RedisLocation } from '../../redis/location.ts';
import { impatient, locateRedis } from '../../redis/location.ts';
import { persist } from '../../redis/persistence.ts';
import { runScript } from '../../redis/script.ts';
import type { ConnectionShare } from '../../redis/shared.ts';
import { shareConnection } from '../../redis/shared.ts';
import { RedisConsumer } from './consumer.ts';
import { RedisFanout } from './fanout.ts';
import { Layout } from './layout.ts';
import type { ListedMessage } from './outgoing.ts';
import { listMessage } from './outgoing.ts';
import { Publisher } from './publisher.ts';
import { queueSizes } from './queue-sizes.ts';
import { purgeScript } from './scripts/purge.ts';
import { shareSteward } from './steward.ts';

/** Messages deleted in one step, so that a purge of millions does not hold up everybody else. */
const purgeStep = 10_000;

/** The broker on Redis or Valkey, in kombu's layout. Connects when it is used. Throws MissingLibraryError. */
export async function openRedisBroker(url: string, options: BrokerOptions): Promise<Broker> {
  const location = impatient(locateRedis(url), options.patience);
  // A library that is missing should be reported now, and not when something is sent.
  (await makeClient({ lazyConnect: true })).disconnect();
  return new RedisBroker(location, shareConnection(location), options.patience);
}

class RedisBroker implements Broker {
  readonly capabilities: BrokerCapabilities = {
    durable: true,
    delay: 'claim',
    priorities: 4,
    mostUrgent: 0,
    shared: true,
  };
  readonly fanout: RedisFanout;
  readonly #location: RedisLocation;
  readonly #share: ConnectionShare;
  readonly #layout: Layout;
  readonly #publisher: Publisher;
  readonly #consumers = new Set<Consumer>();
  readonly #patience: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(location: RedisLocation, share: ConnectionShare, patience: number | undefined) {
    this.#location = location;
    this.#patience = patience;
    this.#share = share;
    this.#layout = new Layout(location.keyPrefix);
    this.#publisher = new Publisher(share.connection, this.#layout, location.retryTimeout);
    this.fanout = new RedisFanout(share.connection, this.#layout);
  }

  async publish(messages: Iterable<OutgoingMessage>, token?: string): Promise<void> {
    this.#open();
    const listed: ListedMessage[] = [];
    for (const message of messages) listed.push(listMessage(message, this.#layout));
    await this.#publisher.publish(listed, token);
  }

  async consume(options: ConsumerOptions): Promise<Consumer> {
    const connection = this.#open();
    checkConsumerOptions(options);
    // What can never work is said at once; a server that is away may come back, `receive` tells how that goes.
    await connection.ready().catch((error: unknown) => {
      if (!isTransient(error) || this.#patience === 0) throw error;
    });
    this.#open();
    const steward = shareSteward(this.#location.key);
    const seat = { options, steward, patience: this.#patience };
    const consumer = new RedisConsumer(connection, this.#layout, seat, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    if (connection.isUp) await consumer.registered();
    return consumer;
  }

  async sizes(queues?: readonly string[]): Promise<QueueSize[]> {
    return this.#ask((connection) => queueSizes(connection, this.#layout, queues));
  }

  async purge(queue: string): Promise<number> {
    const { unacked, unackedIndex } = this.#layout;
    const keys = [unacked, unackedIndex, this.#layout.delayed(queue), ...this.#layout.lists([queue])];
    let total = 0;
    for (;;) {
      const count = await this.#ask((connection) => runScript(connection, purgeScript, keys, [purgeStep]));
      total += count as number;
      if (count === 0) return total;
    }
  }

  async quarantined(limit = 100): Promise<QuarantinedMessage[]> {
    if (limit < 1) return [];
    const entries = await this.#ask((connection) => connection.call('LRANGE', [this.#layout.quarantine, 0, limit - 1]));
    return (entries as string[]).map(readQuarantined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      const closed = await Promise.allSettled([...this.#consumers].map((consumer) => consumer.close()));
      await this.fanout.close();
      await this.#publisher.close();
      for (const one of closed) if (one.status === 'rejected') throw one.reason;
    } finally {
      await this.#share.release();
    }
  }

  #ask<T>(question: (connection: RedisConnection) => Promise<T>): Promise<T> {
    const connection = this.#open();
    return persist(this.#location.retryTimeout, () => question(connection));
  }

  #open(): RedisConnection {
    if (this.#closing !== undefined) throw new ClosedError('the broker is closed');
    return this.#share.connection;
  }
}

function readQuarantined(entry: string): QuarantinedMessage {
  const { queue, id, reason, time, text } = readEntry(entry) ?? { ...foreign, text: entry };
  return { queue, id, reason, time, text };
}

const foreign = { queue: '', id: undefined, reason: 'an entry that Simul did not write', time: 0 };

function readEntry(entry: string): QuarantinedMessage | undefined {
  try {
    const value: unknown = JSON.parse(entry);
    return isRecord(value) && typeof value['text'] === 'string' ? (value as unknown as QuarantinedMessage) : undefined;
  } catch {
    return undefined;
  }
}
