import { randomUUID } from 'node:crypto';

/** What travels where: messages of queues, events, commands, and claims as kombu keeps them. */
export type MessageKind = 'queue' | 'event' | 'control' | 'claim';

/** A row of the poison table: what kills, deafens or silently loses at a Python worker. */
export interface Poison {
  readonly row: string;
  readonly kind: MessageKind;
  readonly text: string;
  /** The id that can still be read, of a task that must be told to have failed. */
  readonly id?: string;
  /** A worker of ours makes a good message of it. */
  readonly cured?: boolean;
}

type Fields = Record<string, unknown>;

/** A task message as kombu writes it, with changes; a field that is `undefined` is left out. */
export function message(
  id: string,
  changes: { top?: Fields; headers?: Fields; properties?: Fields; body?: unknown } = {},
) {
  const body = 'body' in changes ? changes.body : [[2, 3], {}, embed];
  return {
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: {
      lang: 'py',
      task: 'interop.add',
      id,
      shadow: null,
      eta: null,
      expires: null,
      group: null,
      group_index: null,
      retries: 0,
      timelimit: [null, null],
      root_id: id,
      parent_id: null,
      argsrepr: '(2, 3)',
      kwargsrepr: '{}',
      origin: 'gen1@test',
      ignore_result: false,
      replaced_task_nesting: 0,
      stamped_headers: null,
      stamps: {},
      ...changes.headers,
    },
    properties: {
      correlation_id: id,
      reply_to: randomUUID(),
      delivery_mode: 2,
      delivery_info: { exchange: '', routing_key: 'simul' },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: randomUUID(),
      ...changes.properties,
    },
    ...changes.top,
  };
}

const embed = { callbacks: null, errbacks: null, chain: null, chord: null };
const chainOf = (link: object): object => [[2, 3], {}, { ...embed, chain: [link] }];
const signature = { task: 'interop.add', args: [1], kwargs: {}, options: {}, subtask_type: null, immutable: false };

function task(row: string, changes: Parameters<typeof message>[1], more: { id?: null; cured?: true } = {}): Poison {
  const id = randomUUID();
  const { id: readable = id, ...rest } = more;
  return {
    row,
    kind: 'queue',
    text: JSON.stringify(message(id, changes)),
    ...(readable === null ? {} : { id }),
    ...rest,
  };
}

function plain(row: string, text: string): Poison {
  return { row, kind: 'queue', text };
}

const cured = { cured: true } as const;
const idless = { id: null } as const;

/** The rows of queue messages, each once or more. */
export const queuePoison: readonly Poison[] = [
  plain('not JSON', 'hello'),
  plain('not JSON', ''),
  plain('not JSON', '{"body": '),
  plain('not an object', 'NaN'),
  plain('not JSON', '\u0080\u0004\u0095'),
  plain('not an object', '[]'),
  plain('not an object', '7'),
  plain('not an object', '"text"'),
  plain('not an object', 'null'),
  task('no delivery tag', { properties: { delivery_tag: undefined } }, cured),
  task('no delivery info', { properties: { delivery_info: undefined } }, cured),
  task('no exchange', { properties: { delivery_info: { routing_key: 'simul' } } }, cured),
  task('no routing key', { properties: { delivery_info: { exchange: '' } } }, cured),
  task('body of another length', { body: [[2, 3], {}] }),
  task('body of another length', { body: [[2, 3], {}, {}, {}] }),
  task('body of another length', { body: [] }),
  task('body that is no list', { body: '"text"' }),
  task('body that is no list', { body: '7' }),
  task('body that is no list', { body: { kwargs: {} } }),
  task('content type', { top: { 'content-type': undefined } }),
  task('content type', { top: { 'content-type': 'application/data' } }),
  task('content type', { top: { 'content-type': 'text/plain' } }),
  task('content type', { top: { 'content-type': 'application/x-python-serialize' } }),
  task('body encoding', { properties: { body_encoding: 'rot13' } }),
  task('no properties', { top: { properties: null } }),
  task('no properties', { top: { properties: undefined } }),
  task('time limit', { headers: { timelimit: [5] } }, cured),
  task('eta or expires', { headers: { eta: 1795423588 } }),
  task('eta or expires', { headers: { expires: 1795423588 } }),
  task('eta or expires', { headers: { expires: 'tomorrow' } }),
  task('unknown type', { body: [[{ __type__: 'wheel', __value__: 'round' }, 3], {}, embed] }, cured),
  task('undecodable body', { body: '{' }),
  task('undecodable body', { top: { body: '%%%' } }),
  task('compression', { headers: { compression: 'application/x-nothing' } }),
  task('no headers', { top: { headers: undefined } }),
  task('no headers', { top: { headers: null } }),
  task('no headers', { top: { headers: {} } }),
  task('keyword arguments', { body: [[2, 3], [], embed] }),
  task('id', { headers: { id: null }, properties: { correlation_id: undefined } }, idless),
  task('id', { headers: { id: 7 }, properties: { correlation_id: undefined } }, idless),
  task('chain', { body: chainOf({ ...signature, immutable: true }) }, cured),
  task('chain', { body: chainOf({ task: 'interop.add', args: [1], immutable: true }) }, cured),
];

/** What Python takes, and so must we. */
export const harmless: readonly Poison[] = [
  task('', { properties: { delivery_info: { exchange: null, routing_key: 'simul' } } }),
  task('', { properties: { priority: undefined }, headers: { lang: undefined } }),
  task('', { headers: { retries: null, timelimit: null } }),
  task('', { body: [[2, 3], {}, null] }),
  task('', { body: [[2, 3], {}, {}] }),
  task('', { top: { body: JSON.stringify([[2, 3], {}, embed]) }, properties: { body_encoding: undefined } }),
  task('', { top: { body: JSON.stringify([[2, 3], {}, embed]) }, properties: { body_encoding: 'utf-8' } }),
];

function transient(body: unknown, exchange: string, key: string, changes: Parameters<typeof message>[1] = {}): string {
  const base = message('x', { ...changes, body });
  const properties = { ...base.properties, delivery_info: { exchange, routing_key: key }, ...changes.properties };
  return JSON.stringify({ ...base, headers: changes.headers ?? {}, properties });
}

const beat = { type: 'worker-heartbeat', hostname: 'w@test', timestamp: 1795423588.5, utcoffset: 0, pid: 1, clock: 1 };
const node = { headers: { hostname: 'w@test' } };

function event(row: string, body: unknown, changes: Parameters<typeof message>[1] = node): Poison {
  return { row, kind: 'event', text: transient(body, 'celeryev', 'worker.heartbeat', changes) };
}

export const eventPoison: readonly Poison[] = [
  { row: 'not JSON', kind: 'event', text: 'hello' },
  event('no routing key', beat, { ...node, properties: { delivery_info: { exchange: 'celeryev' } } }),
  event('no delivery tag', beat, { ...node, properties: { delivery_tag: undefined } }),
  event('no hostname', { ...beat, hostname: undefined }, { headers: {} }),
  event('no event type', { ...beat, type: undefined }),
  event('clock', { ...beat, clock: null }),
  event('clock', { ...beat, clock: '1' }),
  event('UTC offset', { ...beat, utcoffset: null }),
  event('list of events', [beat]),
];

const ping = { method: 'ping', arguments: {}, destination: null, pattern: null, matcher: null };

function control(
  row: string,
  body: unknown,
  changes: Parameters<typeof message>[1] = { headers: { clock: 1 } },
): Poison {
  return { row, kind: 'control', text: transient(body, 'celery.pidbox', '', changes) };
}

export const controlPoison: readonly Poison[] = [
  { row: 'not JSON', kind: 'control', text: 'hello' },
  control('no delivery tag', ping, { headers: { clock: 1 }, properties: { delivery_tag: undefined } }),
  control('no method', { ...ping, method: undefined }),
  control('command that is no object', ['ping']),
  control('matcher', { ...ping, pattern: 'w*', matcher: 'soundex' }),
  control('clock', ping, { headers: { clock: '1' } }),
  control('clock', ping, { headers: { clock: null } }),
  control('content type', ping, { top: { 'content-type': 'application/x-python-serialize' } }),
  control('whole seconds', { ...ping, method: 'hello', arguments: { from_node: 'a@b', revoked: { x: [5, 'x'] } } }),
  control('election', { ...ping, method: 'election', arguments: { id: 'a', topic: 'task', action: {} } }),
];

export const claimPoison: readonly Poison[] = [
  { row: 'null headers', kind: 'claim', text: JSON.stringify([message('x', { top: { headers: null } }), '', 'simul']) },
  {
    row: 'null delivery info',
    kind: 'claim',
    text: JSON.stringify([message('x', { properties: { delivery_info: null } }), '', 'simul']),
  },
  { row: 'claim of another shape', kind: 'claim', text: JSON.stringify([message('x'), '']) },
];
