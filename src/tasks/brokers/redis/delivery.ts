import { realClock } from '../../../base/clock.ts';
import type { Delivery } from '../../broker.ts';
import type { Envelope, MessageLimits } from '../../envelope.ts';
import { decodeEnvelope } from '../../envelope.ts';
import type { Tag } from './layout.ts';
import { writeTag } from './layout.ts';
import type { DeliveryRecord } from './returned-message.ts';
import { deliveryRecord } from './returned-message.ts';

/** What is stored of the tasks of a list of claims. */
export interface Stored {
  /** When, on the monotonic clock, the server was asked. */
  readonly asked: number;
  of(place: number): string | null | undefined;
}

/** Seconds for which what was stored at the claim is taken for what is stored: others may revoke or end a task any time. */
const fresh = 0.2;

/** A claim on Redis. What it says of its past is read from the message when it is asked for. */
export class RedisDelivery implements Delivery {
  readonly tag: string;
  readonly claim: Tag;
  readonly text: string;
  readonly #stored: Stored | undefined;
  readonly #place: number;
  readonly #limits: MessageLimits | undefined;
  #record: DeliveryRecord | undefined;

  constructor(claim: Tag, text: string, limits: MessageLimits | undefined, stored?: Stored, place = 0) {
    this.claim = claim;
    this.tag = writeTag(claim);
    this.text = text;
    this.#stored = stored;
    this.#place = place;
    this.#limits = limits;
  }

  get stored(): string | null | undefined {
    const stored = this.#stored;
    if (stored === undefined || realClock.now() - stored.asked > fresh) return undefined;
    return stored.of(this.#place);
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
