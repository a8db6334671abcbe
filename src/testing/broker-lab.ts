import assert from 'node:assert/strict';
import { within } from '../base/deadline.ts';
import { TimeoutError } from '../base/errors.ts';
import type { Broker, Consumer, ConsumerOptions, Delivery, OutgoingMessage } from '../tasks/broker.ts';
import type { Envelope } from '../tasks/envelope.ts';

/** What the suite needs of an implementation: a fresh, empty place for every behaviour. */
export interface BrokerLab {
  /** Another handle on the same place each time; the lab closes them all. */
  open(): Promise<Broker>;
  /** The broker lives in the thread of its users, so that no claim can be lost but with the queue. */
  readonly lossless?: boolean;
  /** Puts a text into a queue as no broker would write it; left out where nobody can. */
  putText?(queue: string, text: string): Promise<void>;
}

export const options: ConsumerOptions = { queues: ['q'], lease: 30, hostname: 'conformance@here' };

export async function pair(
  lab: BrokerLab,
  own: Partial<ConsumerOptions> = {},
): Promise<{ broker: Broker; consumer: Consumer }> {
  const broker = await lab.open();
  return { broker, consumer: await broker.consume({ ...options, ...own }) };
}

export function envelope(id: string): Envelope {
  return {
    body: Buffer.from('[[2, 3], {}, {}]').toString('base64'),
    'content-type': 'application/json',
    'content-encoding': 'utf-8',
    headers: { lang: 'js', task: 'shop.add', id, retries: 0, eta: null },
    properties: {
      correlation_id: id,
      delivery_info: { exchange: '', routing_key: 'q' },
      body_encoding: 'base64',
      delivery_tag: id,
    },
  };
}

export function message(id: string, own: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { queue: 'q', envelope: envelope(id), priority: undefined, due: undefined, ...own };
}

export function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `m${String(i).padStart(4, '0')}`);
}

export function idOf(delivery: Delivery): string {
  return String(delivery.envelope().headers['id']);
}

export function receive(consumer: Consumer, max: number): Promise<Delivery[]> {
  return limited(consumer.receive(max));
}

/** The ids of the next `count` messages, which stay claimed. */
export async function receiveIds(consumer: Consumer, count: number, max: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) ids.push(...(await receive(consumer, Math.min(max, count - ids.length))).map(idOf));
  return ids;
}

/** Bounds a wait that an implementation may have broken, so that the suite ends. */
export function limited<T>(promise: Promise<T>): Promise<T> {
  return within(promise, { timeout: 20 }).catch((error: unknown) => {
    if (error instanceof TimeoutError) throw new assert.AssertionError({ message: 'nothing happened within 20 s' });
    throw error;
  });
}
