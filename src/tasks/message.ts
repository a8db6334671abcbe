import { DecodeError } from '../base/errors.ts';
import { decodeJson } from '../base/json/decode.ts';
import { decompress } from './compression.ts';
import type { Envelope, MessageLimits } from './envelope.ts';
import { defaultLimits, isRecord } from './envelope.ts';
import type { CommonParts, Embed, OwnParts } from './message-template.ts';
import { encodeArguments, MessageTemplate, noEmbed } from './message-template.ts';

/** A task call, in our words; `encodeMessage` writes it as Celery's protocol 2, `decodeMessage` reads 2 and 1. */
export interface TaskMessage extends CommonParts, OwnParts {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** On the broker's own scale; undefined leaves the wire's default. */
  readonly wirePriority?: number | undefined;
  readonly embed?: Embed | undefined;
}

/** The envelope of a call as plain data; who sends many of a task keeps a template of them. */
export function encodeMessage(message: TaskMessage): Envelope {
  const own = { ...message, ...encodeArguments(message.args, message.kwargs, message.embed) };
  return JSON.parse(new MessageTemplate(message).write(own, message.wirePriority)) as Envelope;
}

export type { Embed };

/** What a message says of itself before its body is decoded; enough to log, route, delay, revoke and limit it. */
export interface MessageHead {
  readonly id: string;
  readonly task: string;
  readonly eta: Date | undefined;
  readonly expires: Date | undefined;
  /** Undefined leaves it to the task. */
  readonly ignoreResult: boolean | undefined;
  readonly retries: number;
}

/** The id of a message however broken it is, for those who must say which one. */
export function messageId(envelope: Envelope): string | undefined {
  const id = envelope.headers['id'] ?? envelope.properties.correlation_id;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Reads the headers of a protocol 2 message, or the body of a protocol 1 message into such headers. */
export function readHead(headers: Readonly<Record<string, unknown>>): MessageHead {
  const { task, id } = headers;
  if (typeof task !== 'string' || task === '') throw new DecodeError('the message names no task');
  if (typeof id !== 'string' || id === '') throw new DecodeError('the message has no id');
  return {
    id,
    task,
    eta: time('eta', headers['eta']),
    expires: time('expires', headers['expires']),
    ignoreResult: typeof headers['ignore_result'] === 'boolean' ? headers['ignore_result'] : undefined,
    retries: typeof headers['retries'] === 'number' ? headers['retries'] : 0,
  };
}

/** Headers and body of a message of either protocol, in protocol 2's form. The body is decoded, once. */
export interface DecodedMessage {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly embed: Embed;
}

export function decodeMessage(envelope: Envelope, limits: MessageLimits = defaultLimits): DecodedMessage {
  const body = decodeBody(envelope, limits);
  if (Array.isArray(body)) return protocol2(envelope.headers, body);
  if (isRecord(body) && 'args' in body) return protocol1(envelope.headers, body);
  throw new DecodeError('the body is neither [args, kwargs, embed] nor a protocol 1 object');
}

/** What the body of any message holds: a task, a control message, an event. Throws DecodeError. */
export function decodeBody(envelope: Envelope, limits: MessageLimits = defaultLimits): unknown {
  return decodeJson(bodyText(envelope, limits), { ...limits, hostileKeys: 'refuse' });
}

function protocol2(headers: DecodedMessage['headers'], body: readonly unknown[]): DecodedMessage {
  if (body.length !== 3) throw new DecodeError(`the body has ${body.length} parts, not 3`);
  const { args, kwargs } = checkArguments(body[0], body[1]);
  const embed = body[2];
  return { headers, args, kwargs, embed: isRecord(embed) && !isBare(embed) ? { ...noEmbed, ...embed } : noEmbed };
}

function isBare({ callbacks, errbacks, chain, chord }: Partial<Embed>): boolean {
  return (callbacks ?? errbacks ?? chain ?? chord ?? null) === null;
}

function protocol1(headers: Readonly<Record<string, unknown>>, body: Record<string, unknown>): DecodedMessage {
  const { args, kwargs, callbacks, errbacks, chord, taskset, ...rest } = body;
  return {
    headers: { ...rest, group: taskset ?? null, ...headers },
    ...checkArguments(args, kwargs ?? {}),
    embed: { ...noEmbed, callbacks: callbacks ?? null, errbacks: errbacks ?? null, chord: chord ?? null },
  };
}

function checkArguments(args: unknown, kwargs: unknown) {
  if (!Array.isArray(args)) throw new DecodeError('args is not an array');
  if (!isRecord(kwargs)) throw new DecodeError('kwargs is not an object');
  return { args: args as readonly unknown[], kwargs };
}

const base64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

function bodyText(envelope: Envelope, limits: MessageLimits): string {
  const type = envelope['content-type'];
  if (type !== 'application/json') throw new DecodeError(`the content type ${JSON.stringify(type)} is not accepted`);
  const compression = envelope.headers['compression'] ?? undefined;
  const encoding = envelope.properties.body_encoding ?? 'utf-8';
  if (encoding === 'utf-8' && compression === undefined) return envelope.body;
  if (encoding !== 'base64') throw new DecodeError(`the body encoding ${JSON.stringify(encoding)} is not known`);
  // Buffer.from skips what is not base64, so a damaged body would pass for another one.
  if (!base64.test(envelope.body)) throw new DecodeError('the body is not base64');
  const bytes = Buffer.from(envelope.body, 'base64');
  return (compression === undefined ? bytes : decompress(bytes, compression, limits.maxLength)).toString('utf8');
}

function time(name: string, value: unknown): Date | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new DecodeError(`${name} is not an ISO 8601 time`);
  const date = new Date(/(?:Z|[+-]\d\d:?\d\d)$/i.test(value) ? value : `${value}Z`);
  if (Number.isNaN(date.getTime())) throw new DecodeError(`${name} is not an ISO 8601 time`);
  return date;
}
