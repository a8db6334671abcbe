import { onAbort } from '../../../base/abort.ts';
import { cancelledBy, throwIfAborted } from '../../../base/deadline.ts';
import { ClosedError } from '../../../base/errors.ts';
import { KeepAlive } from '../../../base/keep-alive.ts';
import type { Consumer, ConsumerOptions, Delivery, ReleaseOptions } from '../../broker.ts';
import { checkMax } from '../../consumer-options.ts';
import type { Envelope } from '../../envelope.ts';
import { decodeEnvelope } from '../../envelope.ts';
import type { MemoryExchange, Waiter } from './exchange.ts';
import type { MemoryMessage } from './queue.ts';

/** Claims are held in this process's own memory, so they cannot expire: nobody outlives them. */
export class MemoryConsumer implements Consumer {
  readonly #exchange: MemoryExchange;
  readonly #options: ConsumerOptions;
  readonly #claims = new Map<string, MemoryMessage>();
  readonly #waits = new Set<() => void>();
  readonly #keepAlive = new KeepAlive();
  readonly #prefix: string;
  readonly #onClose: () => void;
  #claimCount = 0;
  #closed = false;

  constructor(exchange: MemoryExchange, options: ConsumerOptions, prefix: string, onClose: () => void) {
    this.#exchange = exchange;
    this.#options = options;
    this.#prefix = prefix;
    this.#onClose = onClose;
  }

  async receive(max: number, signal?: AbortSignal): Promise<Delivery[]> {
    this.#checkOpen();
    checkMax(max);
    throwIfAborted(signal);
    const messages = this.#exchange.take(this.#options.queues, max);
    if (messages.length > 0) return messages.map((message) => this.#claim(message));
    return this.#keepAlive.during(this.#wait(max, signal));
  }

  // Nothing to note: a claim that ends without being settled ends with its message.
  async begin(): Promise<void> {
    this.#checkOpen();
  }

  async acknowledge(deliveries: readonly Delivery[]): Promise<boolean[]> {
    this.#checkOpen();
    return deliveries.map((delivery) => this.#settle(delivery.tag) !== undefined);
  }

  async release(deliveries: readonly Delivery[], options: ReleaseOptions = {}): Promise<void> {
    this.#checkOpen();
    const tags = deliveries.map((delivery) => delivery.tag);
    this.#giveBack(tags, options);
  }

  async quarantine(delivery: Delivery, reason: string, id?: string): Promise<void> {
    this.#checkOpen();
    const message = this.#settle(delivery.tag);
    if (message === undefined) return;
    const { queue, text } = message;
    this.#exchange.quarantine({ queue, id, reason, time: this.#exchange.clock.time(), text });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#waits) end();
    this.#giveBack([...this.#claims.keys()]);
    this.#onClose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError('the consumer is closed');
  }

  // Messages are claimed and the promise resolved in one step: an abort comes either before both or after both.
  #wait(max: number, signal: AbortSignal | undefined): Promise<Delivery[]> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waits.delete(end);
        forgetSignal();
      };
      const waiter: Waiter = {
        queues: this.#options.queues,
        max,
        take: (messages) => {
          done();
          resolve(messages.map((message) => this.#claim(message)));
        },
      };
      const fail = (error: Error) => {
        done();
        this.#exchange.stopWaiting(waiter);
        reject(error);
      };
      const end = () => fail(new ClosedError('the consumer was closed'));
      this.#waits.add(end);
      const forgetSignal = onAbort(signal, () => fail(cancelledBy(signal!)));
      this.#exchange.wait(waiter);
    });
  }

  #claim(message: MemoryMessage): Delivery {
    const tag = `${this.#prefix}.${this.#claimCount++}`;
    this.#claims.set(tag, message);
    return new MemoryDelivery(tag, message, this.#options);
  }

  #settle(tag: string): MemoryMessage | undefined {
    const message = this.#claims.get(tag);
    if (message === undefined) return undefined;
    this.#claims.delete(tag);
    this.#exchange.unclaim(message);
    return message;
  }

  #giveBack(tags: readonly string[], { due, attempted = false, last = false }: ReleaseOptions = {}): void {
    const queues = new Set<string>();
    for (const tag of tags) {
      const message = this.#settle(tag);
      if (message === undefined) continue;
      message.redelivered = true;
      if (attempted) message.deliveries++;
      this.#exchange.put(last ? this.#exchange.renewed(message) : message, due);
      queues.add(message.queue);
    }
    this.#exchange.dispatch(queues);
  }
}

class MemoryDelivery implements Delivery {
  readonly tag: string;
  readonly queue: string;
  readonly redelivered: boolean;
  readonly deliveries: number;
  readonly #text: string;
  readonly #options: ConsumerOptions;

  constructor(tag: string, message: MemoryMessage, options: ConsumerOptions) {
    this.tag = tag;
    this.queue = message.queue;
    this.redelivered = message.redelivered;
    this.deliveries = message.deliveries + 1;
    this.#text = message.text;
    this.#options = options;
  }

  envelope(): Envelope {
    return decodeEnvelope(this.#text, this.#options.limits);
  }
}
