import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { DecodeError, EncodeError } from '../../src/base/errors.ts';
import type { Envelope } from '../../src/tasks/envelope.ts';
import { decodeEnvelope, encodeEnvelope, EnvelopeError } from '../../src/tasks/envelope.ts';
import { encodeArguments, MessageTemplate } from '../../src/tasks/message-template.ts';
import { decodeMessage, encodeMessage, readHead } from '../../src/tasks/message.ts';

const call = { id: 'ef1e', task: 'tasks.add', args: [2], kwargs: { y: 3 }, queue: 'celery' };

// The keys of a captured Celery 5.6 message; third-party tools index them without checks.
const headerNames = [
  'argsrepr', 'eta', 'expires', 'group', 'group_index', 'id', 'ignore_result', 'kwargsrepr', 'lang', 'origin',
  'parent_id', 'replaced_task_nesting', 'retries', 'root_id', 'shadow', 'stamped_headers', 'stamps', 'task', 'timelimit',
]; // prettier-ignore

describe('a task message', () => {
  it('has the body of the captured Celery message, byte for byte', () => {
    const body = Buffer.from(encodeMessage(call).body, 'base64').toString();
    assert.equal(body, '[[2], {"y": 3}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]');
  });

  it('has every header and property of protocol 2', () => {
    const { headers, properties, ...rest } = encodeMessage(call);
    assert.deepEqual(Object.keys(headers).sort(), headerNames);
    assert.deepEqual(rest['content-type'], 'application/json');
    assert.deepEqual(rest['content-encoding'], 'utf-8');
    assert.deepEqual(headers['timelimit'], [null, null]);
    assert.equal(headers['root_id'], 'ef1e');
    assert.equal(headers['argsrepr'], '(2,)');
    assert.equal(headers['kwargsrepr'], "{'y': 3}");
    assert.deepEqual(properties.delivery_info, { exchange: '', routing_key: 'celery' });
    assert.equal(properties.body_encoding, 'base64');
    assert.equal(properties.correlation_id, 'ef1e');
    assert.match(properties.delivery_tag, /^[0-9a-f-]{36}$/);
  });

  it('puts the hard limit first and mirrors expires in the expiration', () => {
    const message = encodeMessage({
      ...call,
      timeLimit: 30,
      softTimeLimit: 25,
      expires: new Date(Date.now() + 60_000),
    });
    assert.deepEqual(message.headers['timelimit'], [30, 25]);
    assert.match(String(message.headers['expires']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
    assert.ok(Number(message.properties.expiration) > 59_000);
  });

  it('keeps its own headers when the user names them too', () => {
    const { headers } = encodeMessage({ ...call, headers: { tenant: 'a', task: 'evil', id: 'x' } });
    assert.equal(headers['tenant'], 'a');
    assert.equal(headers['task'], 'tasks.add');
    assert.equal(headers['id'], 'ef1e');
  });

  it('holds every member once, whatever the user calls his headers', () => {
    const headers = { id: 'x', eta: 'x', argsrepr: 'x', retries: 'x', toJSON: () => 'x', 'a "b" é': 1 };
    const own = { id: 'ef1e', ...encodeArguments([1], {}) };
    const text = new MessageTemplate({ task: 't', queue: 'q', headers }).write(own, undefined);
    for (const name of ['id', 'eta', 'argsrepr', 'retries']) assert.equal(text.split(`"${name}":`).length, 2, name);
    const read = decodeEnvelope(text).headers;
    assert.deepEqual([read['id'], read['eta'], read['argsrepr'], read['retries']], ['ef1e', null, '(1,)', 0]);
    assert.equal(read['a "b" é'], 1);
    assert.ok(!('toJSON' in read));
  });

  it('carries names of any characters, and the priority on the scale of the wire', () => {
    const odd = '"é\\😀\n\u0000';
    const names = { id: odd, task: odd, queue: odd, shadow: odd, origin: odd, group: odd, replyTo: odd };
    const rest = { wirePriority: 4, retries: 2, groupIndex: 3, ignoreResult: true };
    const ancestors = { rootId: `r${odd}`, parentId: `p${odd}` };
    const { headers, properties } = encodeMessage({ ...call, ...names, ...ancestors, ...rest });
    assert.deepEqual([headers['id'], headers['root_id'], headers['parent_id']], [odd, `r${odd}`, `p${odd}`]);
    assert.deepEqual([headers['task'], headers['shadow'], headers['origin'], headers['group']], [odd, odd, odd, odd]);
    assert.deepEqual([headers['retries'], headers['group_index'], headers['ignore_result']], [2, 3, true]);
    assert.deepEqual([properties.correlation_id, properties.reply_to, properties.priority], [odd, odd, 4]);
    assert.equal(properties.delivery_info.routing_key, odd);
    assert.ok(!('expiration' in properties));
  });

  it('says which message has headers that cannot be written', () => {
    const refused = (error: unknown) => error instanceof EncodeError && error.path === 'the message for queue "celery"';
    assert.throws(() => encodeMessage({ ...call, headers: { n: 1n } }), refused);
  });

  it('names the place of an argument that cannot travel', () => {
    assert.throws(
      () => encodeMessage({ ...call, args: [1, { list: [new Map()] }] }),
      (error: EncodeError) => error instanceof EncodeError && error.path === 'args[1].list[0]',
    );
  });

  it('comes back as it went', () => {
    const args = [1, 'é', null, { d: new Date(5), n: Number.NaN, big: 2n ** 70n }];
    const decoded = decodeMessage(decodeEnvelope(encodeEnvelope(encodeMessage({ ...call, args }))));
    assert.deepEqual(decoded.args, args);
    assert.deepEqual(decoded.kwargs, { y: 3 });
    assert.deepEqual(readHead(decoded.headers).id, 'ef1e');
  });

  it('of protocol 1 is read into the form of protocol 2', () => {
    const body = {
      task: 'tasks.add', id: 'ec0c', args: [1], kwargs: { y: 1 }, retries: 2, eta: '2026-11-23T09:02:46.222216+00:00',
      expires: null, utc: true, callbacks: [], errbacks: null, timelimit: [null, null], taskset: 'g', chord: null,
    }; // prettier-ignore
    const decoded = decodeMessage(envelopeOf(JSON.stringify(body)));
    assert.deepEqual(decoded.args, [1]);
    const head = readHead(decoded.headers);
    assert.equal(head.task, 'tasks.add');
    assert.equal(head.retries, 2);
    assert.equal(head.eta?.toISOString(), '2026-11-23T09:02:46.222Z');
    assert.equal(decoded.headers['group'], 'g');
  });
});

describe('a message that Celery would not have written', () => {
  const refusals: [string, Partial<Envelope>, RegExp][] = [
    ['a body that is not base64', { body: '***' }, /base64/],
    ['a body that is not JSON', { body: b64('nope') }, /not JSON/],
    ['a body of two parts', { body: b64('[[],{}]') }, /2 parts/],
    ['a body that is a number', { body: b64('7') }, /neither/],
    ['args that are an object', { body: b64('[{},{},{}]') }, /args/],
    ['kwargs that are an array', { body: b64('[[],[],{}]') }, /kwargs/],
    ['a hostile key', { body: b64('[[{"__proto__": {"admin": true}}],{},{}]') }, /__proto__/],
    ['a hostile key behind an escape', { body: b64('[[{"\\u005f_proto__": 1}],{},{}]') }, /__proto__/],
    ['another content type', { 'content-type': 'application/x-python-serialize' }, /content type/],
    ['a compression', { headers: { compression: 'application/x-bz2' } }, /compression/],
    ['an unknown body encoding', { properties: { body_encoding: 'rot13' } as never }, /body encoding/],
    ['a body that is too deep', { body: b64(`[[${'['.repeat(200)}${']'.repeat(200)}],{},{}]`) }, /deeper/],
  ];
  for (const [what, change, reason] of refusals) {
    it(`is refused for ${what}`, () => {
      const error = (e: Error) => e instanceof DecodeError && reason.test(e.message);
      assert.throws(() => decodeMessage({ ...envelopeOf('[[],{},{}]'), ...change }), error);
    });
  }

  for (const [text, reason] of [
    ['nope', /not JSON/],
    ['[]', /not a JSON object/],
    ['{}', /no body/],
    ['{"body":"","headers":[]}', /headers/],
    ['{"body":"","headers":{}}', /properties/],
    ['{"body":"","headers":{"__proto__":{}},"properties":{}}', /__proto__/],
  ] as const) {
    it(`is refused as an envelope: ${text}`, () => {
      assert.throws(
        () => decodeEnvelope(text),
        (e: Error) => e instanceof DecodeError && reason.test(e.message),
      );
    });
  }

  it('is refused for its size before it is read', () => {
    assert.throws(() => decodeEnvelope('{"body":"xxxx"}', { maxLength: 10, maxDepth: 5 }), /limit is 10/);
  });

  it('is refused for headers without a task or an id, and for times that are none', () => {
    assert.throws(() => readHead({ id: 'x' }), /names no task/);
    assert.throws(() => readHead({ task: 'x' }), /no id/);
    assert.throws(() => readHead({ task: 'x', id: 'y', eta: 5 }), /eta/);
    assert.throws(() => readHead({ task: 'x', id: 'y', expires: 'soon' }), /expires/);
  });

  it('is accepted where Celery accepts it: minimal headers, plain body, null embed', () => {
    const envelope = { ...envelopeOf('[[1],{},null]'), body: '[[1],{},null]', properties: {} as never };
    assert.deepEqual(decodeMessage(envelope).args, [1]);
  });
});

function b64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function envelopeOf(body: string): Envelope {
  return { ...encodeMessage(call), headers: {}, body: b64(body) };
}

test('the id of an envelope that cannot be read is told where it can be seen', () => {
  const { properties, headers, ...rest } = encodeMessage({ id: 'the-id', task: 't', args: [], kwargs: {}, queue: 'q' });
  const text = (changed: object) => JSON.stringify({ ...rest, headers, properties, ...changed });
  const deep: unknown = JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`);
  const hostile = text({}).replace('"properties":{', '"properties":{"__proto__":{"x":1},');
  const texts = [
    text({ headers: { ...headers, x: deep } }),
    hostile,
    text({}).replace('"headers":{', '"headers":{"x":{"__proto__":{"x":1}},'),
    text({}).slice(0, -40),
    text({}).slice(0, text({}).indexOf('"properties"')),
  ];
  for (const one of texts) {
    assert.throws(
      () => decodeEnvelope(one),
      (error: unknown) => error instanceof EnvelopeError && error.id === 'the-id',
      one.slice(0, 80),
    );
  }
});
