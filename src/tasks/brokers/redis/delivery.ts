import type { Delivery } from '../../broker.ts';
import type { Envelope, MessageLimits } from '../../envelope.ts';
import { decodeEnvelope } from '../../envelope.ts';
import type { Tag } from './layout.ts';
import { writeTag } from './layout.ts';
import type { DeliveryRecord } from './returned-message.ts';
import { deliveryRecord } from './returned-message.ts';

/** A claim on Redis. What it says of its past is read from the message when it is asked for. */
export class RedisDelivery implements Delivery {
  readonly tag: string;
  readonly claim: Tag;
  readonly text: string;
  readonly stored: string | null | undefined;
  readonly #limits: MessageLimits | undefined;
  #record: DeliveryRecord | undefined;

  constructor(claim: Tag, text: string, limits: MessageLimits | undefined, stored?: string | null) {
    this.claim = claim;
    this.tag = writeTag(claim);
    this.text = text;
    this.stored = stored;
    this.#limits = limits;
  }

  get queue(): string {
    return this.claim.queue;
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
