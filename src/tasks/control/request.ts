import { DecodeError } from '../../base/errors.ts';
import type { Envelope } from '../envelope.ts';
import { isRecord } from '../envelope.ts';
import { controlExchange } from '../fanout.ts';
import { decodeBody } from '../message.ts';
import { transientEnvelope } from './transient.ts';

/** Where the answer to a request goes. */
export interface ReplyAddress {
  readonly exchange: string;
  readonly routingKey: string;
}

/** A command to workers: all of them, those named, or those whose name fits a pattern. */
export interface ControlRequest {
  readonly method: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly destination: readonly string[] | undefined;
  readonly pattern: string | undefined;
  readonly matcher: string | undefined;
  /** Both absent where no answer is wanted. */
  readonly ticket: string | undefined;
  readonly replyTo: ReplyAddress | undefined;
  readonly clock: unknown;
}

/** `expires` is in seconds since the UNIX epoch; workers do not act on it. */
export function encodeRequest(request: Omit<ControlRequest, 'clock'>, clock: number, expires: number): Envelope {
  const { method, destination, pattern, matcher, ticket, replyTo } = request;
  const body = {
    method,
    arguments: request.arguments,
    destination: destination ?? null,
    pattern: pattern ?? null,
    matcher: matcher ?? null,
    ...(ticket === undefined || replyTo === undefined
      ? {}
      : { ticket, reply_to: { exchange: replyTo.exchange, routing_key: replyTo.routingKey } }),
  };
  return transientEnvelope(body, { clock, expires }, controlExchange, '');
}

/** Throws DecodeError. */
export function decodeRequest(envelope: Envelope): ControlRequest {
  const body = decodeBody(envelope);
  if (!isRecord(body)) throw new DecodeError('the control message is not an object');
  const { method, destination, pattern, matcher, ticket } = body;
  if (typeof method !== 'string') throw new DecodeError('the control message names no method');
  const named = typeof destination === 'string' ? [destination] : destination;
  return {
    method,
    arguments: isRecord(body['arguments']) ? body['arguments'] : {},
    destination: Array.isArray(named) && named.length > 0 ? named.map(String) : undefined,
    pattern: text(pattern),
    matcher: text(matcher),
    ticket: text(ticket),
    replyTo: readAddress(body['reply_to']),
    clock: envelope.headers['clock'],
  };
}

function readAddress(value: unknown): ReplyAddress | undefined {
  if (!isRecord(value)) return undefined;
  const { exchange, routing_key: routingKey } = value;
  return typeof exchange === 'string' && typeof routingKey === 'string' ? { exchange, routingKey } : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
