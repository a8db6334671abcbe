import { decodeJson } from '../../src/base/json/decode.ts';
import type { MessageKind } from './poison-table.ts';

/**
 * The rows of the poison table that a text belongs to, none for one that every Python worker takes. Shares nothing with
 * what writes our messages but the reader of JSON.
 */
export function poisonIn(kind: MessageKind, text: string): string[] {
  let value: unknown;
  try {
    value = decodeJson(text);
  } catch {
    return ['not JSON'];
  }
  if (kind === 'claim') return claim(value);
  const faults = envelope(value);
  if (faults.length > 0 || !isObject(value)) return faults;
  const bytes = bodyOf(value);
  let body: unknown;
  try {
    body = decodeJson(bytes ?? '');
  } catch {
    return ['undecodable body'];
  }
  const unknown = rows([['unknown type', hasUnknownType(bytes!)]]);
  if (kind === 'event') return [...unknown, ...event(value, body)];
  return [...unknown, ...(kind === 'control' ? control(value, body) : task(value, body))];
}

function envelope(value: unknown): string[] {
  if (!isObject(value)) return ['not an object'];
  const { properties, headers } = value;
  if (!isObject(properties)) return ['no properties'];
  const info = properties['delivery_info'];
  return rows([
    ['no headers', !isObject(headers)],
    ['no delivery tag', !isName(properties['delivery_tag'])],
    ['no delivery info', !isObject(info)],
    ['no exchange', isObject(info) && typeof info['exchange'] !== 'string'],
    ['no routing key', isObject(info) && typeof info['routing_key'] !== 'string'],
    ['content type', value['content-type'] !== 'application/json' || value['content-encoding'] !== 'utf-8'],
    ['body encoding', properties['body_encoding'] !== 'base64'],
    ['priority', properties['priority'] !== undefined && !isPriority(properties['priority'])],
    ['body that is no text', typeof value['body'] !== 'string'],
  ]);
}

function task(message: Fields, body: unknown): string[] {
  const headers = message['headers'] as Fields;
  if (Object.keys(headers).length === 0) return ['no headers'];
  const limits = headers['timelimit'];
  const found = rows([
    ['id', !isName(headers['id'])],
    ['task name', !isName(headers['task'])],
    ['eta or expires', !isTime(headers['eta']) || !isTime(headers['expires'])],
    ['time limit', limits !== null && !(Array.isArray(limits) && limits.length === 2)],
    ['compression', headers['compression'] !== undefined],
    // Tools beside Celery index them without a look whether they are there.
    ['missing header', everyHeader.some((name) => !(name in headers))],
    ['expiration', !isMilliseconds((message['properties'] as Fields)['expiration'])],
  ]);
  if (!Array.isArray(body)) return [...found, 'body that is no list'];
  if (body.length !== 3) return [...found, 'body of another length'];
  const [args, kwargs, embed] = body as unknown[];
  return [
    ...found,
    ...rows([
      ['arguments', !Array.isArray(args)],
      ['keyword arguments', !isObject(kwargs)],
      ['embed', !isObject(embed) || ['callbacks', 'errbacks', 'chain', 'chord'].some((name) => !(name in embed))],
      ['chain', isObject(embed) && !isChain(embed['chain'])],
    ]),
  ];
}

function event(message: Fields, body: unknown): string[] {
  if (Array.isArray(body)) return ['list of events'];
  if (!isObject(body)) return ['event that is no object'];
  const headers = message['headers'] as Fields;
  return rows([
    ['no hostname', !isName(body['hostname']) || !isName(headers['hostname'])],
    ['no event type', !isName(body['type'])],
    ['clock', body['clock'] !== undefined && !Number.isInteger(body['clock'])],
    ['UTC offset', !Number.isInteger(body['utcoffset'])],
    ['timestamp', typeof body['timestamp'] !== 'number'],
  ]);
}

function control(message: Fields, body: unknown): string[] {
  if (!isObject(body)) return ['command that is no object'];
  const headers = message['headers'] as Fields;
  // An answer: one entry, the worker and what it says.
  if ('ticket' in headers) return rows([['answer', Object.keys(body).length !== 1 || !isName(headers['ticket'])]]);
  const args = body['arguments'];
  const revoked = isObject(args) && isObject(args['revoked']) ? Object.values(args['revoked']) : [];
  return rows([
    ['no method', !isName(body['method'])],
    ['matcher', ![null, 'glob', 'pcre'].includes(body['matcher'] as string)],
    ['clock', !Number.isInteger(headers['clock'])],
    ['control arguments', !isObject(args)],
    ['destination', body['destination'] !== null && !Array.isArray(body['destination'])],
    ['whole seconds', revoked.some((entry) => Array.isArray(entry) && Number.isInteger(entry[0]))],
    ['election', body['method'] === 'election'],
  ]);
}

function claim(value: unknown): string[] {
  if (!Array.isArray(value) || value.length !== 3) return ['claim of another shape'];
  const [message, exchange, key] = value as unknown[];
  const properties = isObject(message) ? message['properties'] : undefined;
  return rows([
    ['null headers', isObject(message) && message['headers'] === null],
    ['null delivery info', isObject(properties) && properties['delivery_info'] === null],
    ['claim of another shape', typeof exchange !== 'string' || typeof key !== 'string'],
  ]);
}

const everyHeader = [
  ...'lang task id shadow eta expires group group_index retries timelimit root_id parent_id argsrepr'.split(' '),
  ...'kwargsrepr origin ignore_result replaced_task_nesting stamped_headers stamps'.split(' '),
];

type Fields = Readonly<Record<string, unknown>>;

function rows(list: readonly (readonly [string, boolean])[]): string[] {
  return list.flatMap(([row, found]) => (found ? [row] : []));
}

function bodyOf(message: Fields): string | undefined {
  const text = message['body'] as string;
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
  return isBase64 ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}

function isChain(chain: unknown): boolean {
  if (chain === null) return true;
  return Array.isArray(chain) && chain.every(isLink);
}

function isLink(link: unknown): boolean {
  if (!isObject(link) || !Array.isArray(link['args']) || !isObject(link['kwargs'])) return false;
  return isObject(link['options']) && isName(link['options']['task_id']);
}

// As every Python from 3.8 reads a typed datetime: an offset of digits, and no fraction but of 3 or 6.
const datetime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}(?:\d{3})?)?(?:[+-]\d\d:\d\d)?$/;
const known = new Set(['datetime', 'date', 'time', 'decimal', 'uuid', 'bytes', 'base64']);

const typed = /\{"__type__": ?"([^"]*)", ?"__value__": ?("(?:[^"\\]|\\.)*"|\{[^}]*\})\}/g;

function hasUnknownType(text: string): boolean {
  return [...text.matchAll(typed)].some(
    ([, type, value]) => !known.has(type!) || (type === 'datetime' && !datetime.test(JSON.parse(value!) as string)),
  );
}

/** Null, or a time with an offset, as `datetime.isoformat` writes it; Celery 5.2 misreads another number of digits. */
function isTime(value: unknown): boolean {
  return (
    value === null ||
    (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?[+-]\d\d:\d\d$/.test(value))
  );
}

function isMilliseconds(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && /^\d+$/.test(value));
}

function isPriority(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 9;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
