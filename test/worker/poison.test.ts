import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConnectionError } from '../../src/base/errors.ts';
import type { Envelope } from '../../src/tasks/envelope.ts';
import { envelopeFor, withFleet } from './fleet.ts';

const wait = { timeout: 10 };

// What kills or deafens a Python worker (the poison table of the wire specification), and what else is malformed.
const poison: [string, (good: Envelope) => unknown, RegExp][] = [
  ['a list', () => [], /not a JSON object/],
  ['a number', () => 7, /not a JSON object/],
  ['no body', (good) => without(good, 'body'), /no body/],
  ['properties null', (good) => ({ ...good, properties: null }), /no properties/],
  ['headers that are a list', (good) => ({ ...good, headers: [] }), /headers/],
  ['no headers and a body of protocol 2', (good) => without(good, 'headers'), /names no task/],
  ['an id that is a number', (good) => ({ ...good, headers: { ...good.headers, id: 7 } }), /no id/],
  ['a numeric eta', (good) => ({ ...good, headers: { ...good.headers, eta: 5 } }), /eta/],
  ['an expires that is no time', (good) => ({ ...good, headers: { ...good.headers, expires: 'x' } }), /expires/],
  ['broken base64', (good) => ({ ...good, body: '%%%' }), /base64/],
  ['a body of two parts', (good) => ({ ...good, body: b64('[[], {}]') }), /2 parts/],
  ['a body that is a string', (good) => ({ ...good, body: b64('"x"') }), /neither/],
  ['kwargs that are a list', (good) => ({ ...good, body: b64('[[], [], {}]') }), /kwargs/],
  ['no content type', (good) => without(good, 'content-type'), /content type/],
  ['pickle', (good) => ({ ...good, 'content-type': 'application/x-python-serialize' }), /content type/],
  ['an unknown body encoding', (good) => withProperty(good, 'body_encoding', 'rot13'), /body encoding/],
  ['an unknown compression', (good) => withHeader(good, 'compression', 'zip'), /compression/],
  ['a hostile key in the body', (good) => ({ ...good, body: b64('[[{"__proto__":{"x":1}}],{},{}]') }), /__proto__/],
  ['an unknown task', (good) => withHeader(good, 'task', 'no.such.task'), /no task is registered/],
  [
    'nesting without end',
    (good) => ({ ...good, body: b64(`[[${'['.repeat(5000)}${']'.repeat(5000)}],{},{}]`) }),
    /deeper/,
  ],
];

const harmless: [string, (good: Envelope) => unknown][] = [
  ['no delivery tag', (good) => withProperty(good, 'delivery_tag', undefined)],
  ['no delivery info', (good) => withProperty(good, 'delivery_info', undefined)],
  ['a time limit of one element', (good) => withHeader(good, 'timelimit', [5])],
  ['nulls where numbers stand', (good) => withHeader(withHeader(good, 'retries', null), 'timelimit', null)],
  ['embed null', (good) => ({ ...good, body: b64('[[20, 22], {}, null]') })],
  ['a plain body', (good) => ({ ...withProperty(good, 'body_encoding', undefined), body: '[[20, 22], {}, {}]' })],
  ['unknown headers and properties', (good) => withProperty(withHeader(good, 'x', [1]), 'x', { y: 1 })],
];

describe('a worker that is sent', () => {
  for (const [what, spoil, reason] of poison) {
    it(`${what}: says why with the id, sets it aside and goes on`, () =>
      withFleet(async ({ app, start, inject, log }) => {
        const add = app.task('add', (x: number, y: number) => x + y);
        const good = envelopeFor('add', [1, 2]);
        await start();
        await inject(spoil(good) as Envelope);
        assert.equal(await (await add.delay(2, 3)).get(wait), 5);
        const [aside, ...more] = await (await app.broker()).quarantined();
        assert.equal(more.length, 0);
        assert.match(aside?.reason ?? '', reason);
        const id = aside?.id;
        if (id !== undefined) {
          assert.equal(id, good.properties.correlation_id);
          assert.equal(await app.AsyncResult(id).status(), 'FAILURE');
        }
        assert.ok(log.some((line) => reason.test(line) && line.includes(id ?? 'without an id')));
      }));
  }

  for (const [what, change] of harmless) {
    it(`${what}: runs it`, () =>
      withFleet(async ({ app, start, inject }) => {
        app.task('add', (x: number, y: number) => x + y);
        const good = envelopeFor('add', [20, 22]);
        await start();
        await inject(change(good) as Envelope);
        assert.equal(await app.AsyncResult(good.properties.correlation_id!).get(wait), 42);
      }));
  }
});

describe('an end that no broker takes', () => {
  it('fails its task, and does not hold up the others', () =>
    withFleet(async ({ app, start }) => {
      const retries = app.task('retries', { bind: true }, (ctx) => ctx.retry({ countdown: 0, headers: { n: 10n } }));
      const fine = app.task('fine', () => 'fine');
      await start();
      const result = await retries.delay();
      assert.equal(await (await fine.delay()).get(wait), 'fine');
      await assert.rejects(result.get(wait), /BigInt/);
    }));

  it('is set aside where only the broker finds out', () =>
    withFleet(async ({ app, start }) => {
      const fine = app.task('fine', () => 'fine');
      const broker = await app.broker();
      const backend = await app.backend();
      const store = backend.store.bind(backend);
      let refusals = 0;
      backend.store = async (results) => {
        if (results.some((one) => one.state === 'SUCCESS' && one.id === 'bad')) {
          refusals++;
          throw new TypeError('not this one');
        }
        return store(results);
      };
      const bad = await fine.applyAsync([], { taskId: 'bad' });
      const good = await fine.applyMany(Array.from({ length: 20 }, () => []));
      await start();
      await Promise.all(good.map((result) => result.get(wait)));
      await assert.rejects(bad.get(wait), /how it ended cannot be written: not this one/);
      assert.ok(refusals > 0);
      assert.equal((await broker.quarantined())[0]?.id, 'bad');
    }));

  it('is tried again while the store is away, claims that were never begun included', () =>
    withFleet(async ({ app, start }) => {
      const fine = app.task('fine', () => 'fine');
      const [broker, backend] = [await app.broker(), await app.backend()];
      const away = () => Promise.reject(new ConnectionError('away'));
      const { consume, fetch } = { consume: broker.consume.bind(broker), fetch: backend.fetch.bind(backend) };
      let failures = 0;
      backend.fetch = (ids) => (++failures > 2 ? fetch(ids) : away());
      broker.consume = async (options) => {
        const consumer = await consume(options);
        const release = consumer.release.bind(consumer);
        let releases = 0;
        consumer.release = (...args) => (++releases > 2 ? release(...args) : away());
        return consumer;
      };
      const results = await fine.applyMany(Array.from({ length: 30 }, () => []));
      const worker = await start({ concurrency: 10 });
      await Promise.all(results.map((result) => result.get(wait)));
      await worker.stop();
      assert.deepEqual(await broker.sizes(['celery']), [{ queue: 'celery', waiting: 0, delayed: 0, claimed: 0 }]);
    }));

  it('of a priority off the scale is sent without one', () =>
    withFleet(async ({ app, start, inject }) => {
      app.task('again', { bind: true }, (ctx) => (ctx.retries > 0 ? 'again' : ctx.retry({ countdown: 0 })));
      const envelope = withProperty(envelopeFor('again'), 'priority', 42);
      await start();
      await inject(envelope);
      assert.equal(await app.AsyncResult(envelope.properties.correlation_id!).get(wait), 'again');
    }));
});

function b64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function without(envelope: Envelope, key: keyof Envelope): object {
  return { ...envelope, [key]: undefined };
}

function withHeader(envelope: Envelope, name: string, value: unknown): Envelope {
  return { ...envelope, headers: { ...envelope.headers, [name]: value } };
}

function withProperty(envelope: Envelope, name: string, value: unknown): Envelope {
  return { ...envelope, properties: { ...envelope.properties, [name]: value } };
}
