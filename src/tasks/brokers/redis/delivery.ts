import type { Delivery } from '../../broker.ts';
import type { Envelope, MessageLimits } from '../../envelope.ts';
import { decodeEnvelope } from '../../envelope.ts';
import type { DeliveryRecord } from './returned-message.ts';
import { deliveryRecord } from './returned-message.ts';

/** A claim on Redis. What it says of its past is read from the message when it is asked for. */
export class RedisDelivery implements Delivery {
  readonly tag: string;
  readonly queue: string;
  readonly text: string;
  readonly #limits: MessageLimits | undefined;
  #record: DeliveryRecord | undefined;

  constructor(tag: string, queue: string, text: string, limits: MessageLimits | undefined) {
    this.tag = tag;
    this.queue = queue;
    this.text = text;
    this.#limits = limits;
  }

  get redelivered(): boolean {
    return (this.#record ??= deliveryRecord(this.text)).redelivered;
  }

  get deliveries(): number {
    return (this.#record ??= deliveryRecord(this.text)).lost + 1;
  }

  envelope(): Envelope {
    return decodeEnvelope(this.text, this.#limits);
  }
}
