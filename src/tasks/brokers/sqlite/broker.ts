import { ClosedError } from '../../../base/errors.ts';
import type {
  Broker,
  BrokerCapabilities,
  Consumer,
  ConsumerOptions,
  OutgoingMessage,
  QuarantinedMessage,
  QueueSize,
} from '../../broker.ts';
import { checkConsumerOptions } from '../../consumer-options.ts';
import { encodeOutgoing } from '../../outgoing.ts';
import type { ClientShare, SqliteClient } from '../../sqlite/client.ts';
import { acquireClient } from '../../sqlite/client.ts';
import { locate } from '../../sqlite/location.ts';
import { SqliteConsumer } from './consumer.ts';
import { Heartbeat } from '../../thread-heartbeat.ts';

/** Messages deleted in one transaction, so that a purge of millions does not hold up everything else. */
const purgeStep = 10_000;

/** The embedded broker: a SQLite file shared by the processes of one machine. */
export async function openSqliteBroker(url: string): Promise<Broker> {
  return new SqliteBroker(await acquireClient(locate(url)));
}

class SqliteBroker implements Broker {
  readonly capabilities: BrokerCapabilities = {
    durable: true,
    delay: 'native',
    priorities: 10,
    mostUrgent: 9,
    shared: true,
  };
  readonly #share: ClientShare;
  readonly #consumers = new Set<Consumer>();
  #closing: Promise<void> | undefined;

  constructor(share: ClientShare) {
    this.#share = share;
  }

  async publish(messages: Iterable<OutgoingMessage>): Promise<void> {
    const client = this.#open();
    const encoded = Array.from(messages, encodeOutgoing);
    if (encoded.length === 0) return;
    const { argument, result } = client.batch('publish', 'publish', () => ({
      queues: [],
      ranks: [],
      dues: [],
      texts: [],
    }));
    for (const { queue, text, priority, due } of encoded) {
      argument.queues.push(queue);
      argument.ranks.push(9 - priority);
      argument.dues.push(due ?? null);
      argument.texts.push(text);
    }
    await result;
  }

  async consume(options: ConsumerOptions): Promise<Consumer> {
    const client = this.#open();
    checkConsumerOptions(options);
    const { hostname, lease, stallTimeout, countFrom } = options;
    const heartbeat = stallTimeout === undefined ? undefined : new Heartbeat(stallTimeout / 8);
    const queues = [...new Set(options.queues)];
    const begins = countFrom === 'begin';
    const request = { hostname, queues, lease, stallTimeout, begins, heartbeat: heartbeat?.counter };
    try {
      const id = await client.call('consume', request).result;
      const consumer = new SqliteConsumer(client, options, id, heartbeat, () => this.#consumers.delete(consumer));
      if (this.#closing === undefined) this.#consumers.add(consumer);
      else await consumer.close();
      return consumer;
    } catch (error) {
      heartbeat?.stop();
      throw error;
    }
  }

  async sizes(queues?: readonly string[]): Promise<QueueSize[]> {
    return this.#open().call('sizes', { queues }).result;
  }

  async purge(queue: string): Promise<number> {
    let total = 0;
    for (;;) {
      const deleted = await this.#open().call('purge', { queue, limit: purgeStep }).result;
      total += deleted;
      if (deleted === 0) return total;
    }
  }

  async quarantined(limit = 100): Promise<QuarantinedMessage[]> {
    return this.#open().call('quarantined', { limit }).result;
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
      await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    } finally {
      await this.#share.release();
    }
  }

  #open(): SqliteClient {
    if (this.#closing !== undefined) throw new ClosedError('the broker is closed');
    return this.#share.client;
  }
}
