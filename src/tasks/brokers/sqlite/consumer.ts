import { onAbort } from '../../../base/abort.ts';
import { cancelledBy, throwIfAborted } from '../../../base/deadline.ts';
import { ClosedError } from '../../../base/errors.ts';
import type { Consumer, ConsumerOptions, Delivery, ReleaseOptions } from '../../broker.ts';
import { checkMax } from '../../consumer-options.ts';
import type { Envelope } from '../../envelope.ts';
import { decodeEnvelope } from '../../envelope.ts';
import type { SqliteClient } from '../../sqlite/client.ts';
import type { ClaimedRow, ClaimKeys } from '../../sqlite/protocol.ts';
import type { Heartbeat } from '../../thread-heartbeat.ts';

/** The claims themselves lie with SQLite's thread, which renews them. */
export class SqliteConsumer implements Consumer {
  readonly #client: SqliteClient;
  readonly #options: ConsumerOptions;
  readonly #id: number;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #onClose: () => void;
  readonly #receives = new Set<number>();
  /** Names the batch of what is begun in one tick. */
  readonly #beginning = {};
  #closing: Promise<void> | undefined;

  constructor(
    client: SqliteClient,
    options: ConsumerOptions,
    id: number,
    heartbeat: Heartbeat | undefined,
    onClose: () => void,
  ) {
    this.#client = client;
    this.#options = options;
    this.#id = id;
    this.#heartbeat = heartbeat;
    this.#onClose = onClose;
  }

  async receive(max: number, signal?: AbortSignal): Promise<Delivery[]> {
    this.#checkOpen();
    checkMax(max);
    throwIfAborted(signal);
    const { number, result } = this.#client.call('receive', { consumer: this.#id, max });
    // Only the thread knows whether the abort came first; what it has claimed by then is handed out.
    const forgetSignal = onAbort(signal, () => this.#client.cancel(number));
    this.#receives.add(number);
    try {
      const rows = await result;
      if (rows !== undefined) return rows.map((row) => new SqliteDelivery(this.#id, row, this.#options));
    } finally {
      this.#receives.delete(number);
      forgetSignal();
    }
    if (signal?.aborted) throw cancelledBy(signal);
    throw new ClosedError('the consumer was closed');
  }

  async begin(deliveries: readonly Delivery[]): Promise<void> {
    this.#checkOpen();
    if (this.#options.countFrom !== 'begin' || deliveries.length === 0) return;
    const { argument, result } = this.#client.batch(this.#beginning, 'begin', () => this.#keys([]));
    this.#addKeys(argument, deliveries);
    await result;
  }

  async acknowledge(deliveries: readonly Delivery[]): Promise<boolean[]> {
    this.#checkOpen();
    const { argument, result } = this.#client.batch(this, 'acknowledge', () => this.#keys([]));
    const start = argument.messages.length;
    this.#addKeys(argument, deliveries);
    const held = await result;
    return held.slice(start, start + deliveries.length);
  }

  async release(deliveries: readonly Delivery[], options: ReleaseOptions = {}): Promise<void> {
    this.#checkOpen();
    if (deliveries.length === 0) return;
    const { due = null, attempted = false, last = false } = options;
    await this.#client.call('release', { ...this.#keys(deliveries), due, attempted, last }).result;
  }

  async quarantine(delivery: Delivery, reason: string, id?: string): Promise<void> {
    this.#checkOpen();
    await this.#client.call('quarantine', { ...this.#keys([delivery]), reason, id: id ?? null }).result;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#heartbeat?.stop();
    for (const call of this.#receives) this.#client.cancel(call);
    this.#onClose();
    await this.#client.call('leave', { consumer: this.#id }).result;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('the consumer is closed');
  }

  #keys(deliveries: readonly Delivery[]): ClaimKeys {
    const keys: ClaimKeys = { consumer: this.#id, messages: [], claims: [] };
    this.#addKeys(keys, deliveries);
    return keys;
  }

  #addKeys(keys: ClaimKeys, deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const ours = delivery instanceof SqliteDelivery && delivery.consumer === this.#id;
      keys.messages.push(ours ? delivery.message : -1);
      keys.claims.push(ours ? delivery.claim : -1);
    }
  }
}

class SqliteDelivery implements Delivery {
  readonly queue: string;
  readonly redelivered: boolean;
  readonly deliveries: number;
  readonly consumer: number;
  readonly message: number;
  readonly claim: number;
  readonly #text: string;
  readonly #options: ConsumerOptions;

  constructor(consumer: number, row: ClaimedRow, options: ConsumerOptions) {
    [this.message, this.claim, this.queue, this.deliveries, this.redelivered, this.#text] = row;
    this.consumer = consumer;
    this.#options = options;
  }

  get tag(): string {
    return `${this.consumer}.${this.claim}.${this.message}`;
  }

  envelope(): Envelope {
    return decodeEnvelope(this.#text, this.#options.limits);
  }
}
