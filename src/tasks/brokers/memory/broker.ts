import { realClock } from '../../../base/clock.ts';
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
import type { Share } from '../../memory/shared.ts';
import { SharedByName } from '../../memory/shared.ts';
import { encodeOutgoing } from '../../outgoing.ts';
import { MemoryConsumer } from './consumer.ts';
import { MemoryExchange } from './exchange.ts';
import { MemoryFanout } from './fanout.ts';

const exchanges = new SharedByName(
  (clock) => new MemoryExchange(clock),
  (exchange) => exchange.close(),
);
let consumers = 0;

/** The broker of `memory://name`: for tests and for programs of one process. */
export async function openMemoryBroker(name: string, options: BrokerOptions): Promise<Broker> {
  return new MemoryBroker(exchanges.acquire(name, options.clock ?? realClock));
}

class MemoryBroker implements Broker {
  readonly capabilities: BrokerCapabilities = {
    durable: false,
    delay: 'native',
    priorities: 10,
    mostUrgent: 9,
    shared: false,
  };
  readonly fanout = new MemoryFanout(() => this.#open().bindings);
  readonly #share: Share<MemoryExchange>;
  readonly #consumers = new Set<Consumer>();
  #closed = false;

  constructor(share: Share<MemoryExchange>) {
    this.#share = share;
  }

  async publish(messages: Iterable<OutgoingMessage>): Promise<void> {
    this.#open().publish(Array.from(messages, encodeOutgoing));
  }

  async consume(options: ConsumerOptions): Promise<Consumer> {
    const exchange = this.#open();
    checkConsumerOptions(options);
    const name = `${options.hostname}.${consumers++}`;
    const consumer = new MemoryConsumer(exchange, options, name, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }

  async sizes(queues?: readonly string[]): Promise<QueueSize[]> {
    return this.#open().sizes(queues);
  }

  async purge(queue: string): Promise<number> {
    return this.#open().purge(queue);
  }

  async quarantined(limit = 100): Promise<QuarantinedMessage[]> {
    return this.#open().quarantined(limit);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    this.#share.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): MemoryExchange {
    if (this.#closed) throw new ClosedError('the broker is closed');
    return this.#share.value;
  }
}
