import { encodeJson } from '../../base/json/encode.ts';
import { uuid } from '../../base/ids.ts';
import type { Envelope } from '../envelope.ts';
import type { Exchange } from '../fanout.ts';

/**
 * The envelope of a control message or an event. Every key is there: a Python worker ends at a message without a
 * delivery tag or a routing key, and at an event without a hostname.
 */
export function transientEnvelope(
  body: unknown,
  headers: Readonly<Record<string, unknown>>,
  exchange: Exchange,
  routingKey: string,
): Envelope {
  return {
    body: Buffer.from(encodeJson(body)).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers,
    properties: {
      delivery_mode: 1,
      delivery_info: { exchange: exchange.name, routing_key: routingKey },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: uuid(),
    },
  };
}
