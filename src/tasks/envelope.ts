import { messageOf } from '../base/error-text.ts';
import { DecodeError } from '../base/errors.ts';
import { decodeJson } from '../base/json/decode.ts';

/**
 * A message as kombu writes it on every broker that has no properties of its own (Redis, SQS, SQLite, memory). The keys
 * are the wire's; `body` is already serialised and encoded as `properties.body_encoding` says.
 */
export interface Envelope {
  readonly body: string;
  readonly 'content-type': string;
  readonly 'content-encoding': string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly properties: EnvelopeProperties;
}

export interface EnvelopeProperties {
  readonly correlation_id?: string;
  readonly reply_to?: string;
  readonly delivery_mode?: number;
  readonly delivery_info: Readonly<{ exchange: string; routing_key: string; redelivered?: boolean }>;
  readonly priority?: number;
  readonly expiration?: string;
  readonly body_encoding?: string;
  readonly delivery_tag: string;
}

/** Sizes and depths checked before anything is decoded. */
export interface MessageLimits {
  /** Longest message accepted, in characters of its text. */
  readonly maxLength: number;
  /** Deepest nesting accepted in an envelope and in a body. */
  readonly maxDepth: number;
}

export const defaultLimits: MessageLimits = { maxLength: 64 * 2 ** 20, maxDepth: 100 };

/** The text of an envelope. All parts are plain JSON by construction, so the native writer does. */
export function encodeEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelope);
}

/** The text is no envelope; `id` is that of its task where one can be read all the same. */
export class EnvelopeError extends DecodeError {
  readonly id: string | undefined;

  constructor(message: string, id?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.id = typeof id === 'string' && id !== '' ? id : undefined;
  }
}

/** Reads an envelope; DecodeError says what is wrong with one that kombu would not have written. */
export function decodeEnvelope(text: string, limits: MessageLimits = defaultLimits): Envelope {
  if (text.length > limits.maxLength) {
    throw new EnvelopeError(`a message of ${text.length} characters; the limit is ${limits.maxLength}`, idIn(text));
  }
  const value = decodeText(text, limits);
  if (!isRecord(value)) throw new DecodeError('the message is not a JSON object');
  const headers = value['headers'] ?? {};
  const properties = value['properties'];
  const id = isRecord(headers) ? headers['id'] : undefined;
  if (typeof value['body'] !== 'string') throw new EnvelopeError('the message has no body', id);
  if (!isRecord(headers)) throw new EnvelopeError('the headers of the message are not an object');
  if (!isRecord(properties)) throw new EnvelopeError('the message has no properties', id);
  if (value['headers'] !== headers) value['headers'] = headers;
  return value as unknown as Envelope;
}

function decodeText(text: string, limits: MessageLimits): unknown {
  try {
    return decodeJson(text, { ...limits, hostileKeys: 'refuse' });
  } catch (cause) {
    throw new EnvelopeError(messageOf(cause), idIn(text), { cause });
  }
}

/**
 * The id in a text that cannot be read: among the properties, which stand last in what kombu and we write, else among the
 * headers (a body is base64, or has its quotes escaped).
 */
function idIn(text: string): string | undefined {
  const [, last] = /"correlation_id": ?"([^"\\]{1,256})"/.exec(text.slice(-8192)) ?? [];
  return last ?? /(?<!\\)"id": ?"([^"\\]{1,256})"/.exec(text.slice(0, 65536))?.[1];
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
