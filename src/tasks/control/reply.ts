import { DecodeError } from '../../base/errors.ts';
import type { Envelope } from '../envelope.ts';
import { isRecord } from '../envelope.ts';
import type { Exchange } from '../fanout.ts';
import { decodeBody } from '../message.ts';
import { transientEnvelope } from './transient.ts';

/** What one worker answers. */
export interface ControlReply {
  readonly ticket: string | undefined;
  readonly hostname: string;
  readonly value: unknown;
  readonly clock: unknown;
}

/** Throws EncodeError for a value that cannot be written. */
export function encodeReply(
  reply: { ticket: string; hostname: string; value: unknown },
  clock: number,
  exchange: Exchange,
  routingKey: string,
): Envelope {
  const { ticket, hostname, value } = reply;
  return transientEnvelope({ [hostname]: value ?? null }, { ticket, clock }, exchange, routingKey);
}

/** Throws DecodeError. */
export function decodeReply(envelope: Envelope): ControlReply {
  const body = decodeBody(envelope);
  const [entry] = isRecord(body) ? Object.entries(body) : [];
  if (entry === undefined) throw new DecodeError('the reply names no worker');
  const { ticket, clock } = envelope.headers;
  return { ticket: typeof ticket === 'string' ? ticket : undefined, hostname: entry[0], value: entry[1], clock };
}
