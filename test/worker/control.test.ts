import assert from 'node:assert/strict';
import { uptime } from 'node:os';
import { describe, it } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { uuid } from '../../src/base/ids.ts';
import { Mailbox } from '../../src/tasks/control/mailbox.ts';
import { transientEnvelope } from '../../src/tasks/control/transient.ts';
import { decodeBody } from '../../src/tasks/message.ts';
import { controlExchange, eventExchange } from '../../src/tasks/fanout.ts';
import { nodeName } from '../../src/tasks/identity.ts';
import type { Fleet } from './fleet.ts';
import { withFleet } from './fleet.ts';

const wait = { timeout: 10 };
const node = nodeName('w1');
const only = { destination: [node], timeout: 10 };

describe('remote control', () => {
  it('ping is answered by every worker under its own name', () =>
    withFleet(async ({ app, start }) => {
      await start({ hostname: 'w1' });
      await start({ hostname: 'w2' });
      const mailbox = new Mailbox(await app.broker());
      const both = await mailbox.call('ping', {}, { destination: [node, nodeName('w2')], timeout: 10 });
      assert.deepEqual(
        [...both].sort(([a], [b]) => (a < b ? -1 : 1)),
        [
          [node, { ok: 'pong' }],
          [nodeName('w2'), { ok: 'pong' }],
        ],
      );
    }));

  it('reaches only whom it names or whose name fits', () =>
    withFleet(async ({ app, start }) => {
      for (const hostname of ['w1@a', 'w2@a', 'x@b']) await start({ hostname });
      const mailbox = new Mailbox(await app.broker());
      const who = async (options: object) =>
        [...(await mailbox.call('ping', {}, { timeout: 0.05, ...options })).keys()].sort();
      assert.deepEqual(await who({}), ['w1@a', 'w2@a', 'x@b']);
      assert.deepEqual(await who({ destination: ['x@b'] }), ['x@b']);
      assert.deepEqual(await who({ pattern: 'w?@*' }), ['w1@a', 'w2@a']);
      assert.deepEqual(await who({ pattern: '[!w]*' }), ['x@b']);
      assert.deepEqual(await who({ pattern: 'w[2-9]', matcher: 'pcre' }), ['w2@a']);
      assert.deepEqual(await who({ pattern: 'nobody' }), []);
    }));

  it('tells what runs, what waits for a slot and what is put off', () =>
    withFleet(async ({ app, start }) => {
      const [begun, end] = [deferred(), deferred()];
      const hold = app.task('hold', async (what: string) => {
        begun.resolve();
        await end.promise;
        return what;
      });
      const worker = await start({ hostname: 'w1', concurrency: 1, prefetchMultiplier: 2 });
      const [first, second] = await hold.applyMany([['a'], ['b']]);
      await begun.promise;
      while (worker.active.length < 2) await new Promise(setImmediate);
      const mailbox = new Mailbox(await app.broker());
      const ask = async (method: string, args = {}) => (await mailbox.call(method, args, only)).get(node);
      const [active, ...more] = (await ask('active')) as Record<string, unknown>[];
      assert.equal(more.length, 0);
      assert.deepEqual([active!['id'], active!['name'], active!['args']], [first!.id, 'hold', ['a']]);
      assert.equal(typeof active!['time_start'], 'number');
      assert.equal(active!['worker_pid'], process.pid);
      const [safe] = (await ask('active', { safe: true })) as Record<string, unknown>[];
      assert.equal(safe!['args'], "('a',)");
      const [reserved] = (await ask('reserved')) as Record<string, unknown>[];
      assert.deepEqual([reserved!['id'], reserved!['time_start']], [second!.id, null]);
      const found = (await ask('query_task', { ids: [first!.id, second!.id, 'no-such-id'] })) as Record<
        string,
        [string]
      >;
      assert.deepEqual(
        Object.entries(found).map(([id, [where]]) => [id, where]),
        [
          [first!.id, 'active'],
          [second!.id, 'reserved'],
        ],
      );
      end.resolve();
      assert.equal(await second!.get(wait), 'b');
      assert.deepEqual(await ask('active'), []);
    }));

  it('tells its tasks, queues, figures and settings', () =>
    withFleet(async ({ app, start }) => {
      app.task('plain', () => 1);
      app.task('limited', { rateLimit: '10/m', maxRetries: 3 }, () => 1);
      await start({ hostname: 'w1', queues: ['a', 'b'], concurrency: 7 });
      const mailbox = new Mailbox(await app.broker());
      const ask = async (method: string, args = {}) => (await mailbox.call(method, args, only)).get(node) as never;
      assert.deepEqual(await ask('registered'), ['limited [rate_limit=10/m]', 'plain']);
      assert.deepEqual(await ask('registered', { taskinfoitems: ['max_retries'] }), [
        'limited [max_retries=3]',
        'plain',
      ]);
      await (await app.sendTask('plain', [], { queue: 'a' })).get(wait);
      const stats: Record<string, unknown> = await ask('stats');
      assert.deepEqual(stats['total'], { plain: 1 });
      assert.equal(stats['pid'], process.pid);
      assert.match(String(stats['clock']), /^\d+$/);
      assert.equal((stats['pool'] as Record<string, unknown>)['max-concurrency'], 7);
      const queues: { name: string }[] = await ask('active_queues');
      assert.deepEqual(
        queues.map(({ name }) => name),
        ['a', 'b'],
      );
      const conf: Record<string, unknown> = await ask('conf');
      assert.equal(conf['worker_concurrency'], 7);
    }));

  it('says in its answer that it does not know a command', () =>
    withFleet(async ({ app, start }) => {
      await start({ hostname: 'w1' });
      const replies = await new Mailbox(await app.broker()).call('no_such', {}, only);
      assert.deepEqual(replies.get(node), { error: "KeyError('no_such')" });
    }));

  it('revoke keeps a task from starting, one that was never seen too', () =>
    withFleet(async ({ app, start }) => {
      let runs = 0;
      app.task('t', () => ++runs);
      await start({ hostname: 'w1' });
      const id = uuid();
      const mailbox = new Mailbox(await app.broker());
      const replies = await mailbox.call('revoke', { task_id: id, terminate: false, signal: 'SIGTERM' }, only);
      assert.deepEqual(replies.get(node), { ok: `tasks {'${id}'} flagged as revoked` });
      assert.deepEqual((await mailbox.call('revoked', {}, only)).get(node), [id]);
      const result = await app.sendTask('t', [], { taskId: id });
      await (await app.sendTask('t')).get(wait);
      assert.equal(await result.status(), 'REVOKED');
      assert.equal(runs, 1);
    }));

  it('revoke holds where no result says so', () =>
    withFleet(async ({ app, start }) => {
      let runs = 0;
      app.task('t', () => ++runs);
      await start({ hostname: 'w1' });
      const id = uuid();
      await new Mailbox(await app.broker()).call('revoke', { task_id: [id] }, only);
      await app.AsyncResult(id).forget();
      await app.sendTask('t', [], { taskId: id });
      await (await app.sendTask('t')).get(wait);
      assert.equal(runs, 1);
      assert.equal(await app.AsyncResult(id).status(), 'REVOKED');
    }));

  it('revoke with terminate tells the run to stop', () =>
    withFleet(async ({ app, start }) => {
      const begun = deferred();
      const task = app.task('t', { bind: true }, async (ctx) => {
        begun.resolve();
        await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('stopped'))));
      });
      await start({ hostname: 'w1' });
      const result = await task.delay();
      await begun.promise;
      const mailbox = new Mailbox(await app.broker());
      const replies = await mailbox.call('revoke', { task_id: result.id, terminate: true }, only);
      assert.deepEqual(replies.get(node), { ok: `terminate: ${result.id}` });
      await assert.rejects(result.get(wait), { name: 'TaskRevokedError', message: 'terminated' });
    }));

  it('hello gives and takes the ids of revoked tasks, with times that are no whole numbers', () =>
    withFleet(async ({ app, start }) => {
      await start({ hostname: 'w1' });
      const mailbox = new Mailbox(await app.broker());
      const args = { from_node: 'other@b', revoked: { aaa: [17.5, 'aaa'] } };
      const reply = (await mailbox.call('hello', args, only)).get(node) as {
        revoked: Record<string, [number, string]>;
        clock: number;
      };
      assert.deepEqual(Object.keys(reply.revoked), ['aaa']);
      const [time, id] = reply.revoked['aaa']!;
      assert.equal(id, 'aaa');
      assert.ok(!Number.isInteger(time) && time > 0 && time <= uptime() + 1, String(time));
      assert.ok(reply.clock > 0);
    }));

  it('answers null to itself and nothing to those who ask for no answer', () =>
    withFleet(async ({ app, start, log }) => {
      await start({ hostname: 'w1' });
      const mailbox = new Mailbox(await app.broker());
      assert.equal((await mailbox.call('hello', { from_node: node }, only)).get(node), null);
      await mailbox.cast('no_such');
      await mailbox.call('ping', {}, only);
      assert.equal(log.filter((line) => line.includes("'no_such'")).length, 1);
    }));

  it('shutdown stops the worker warm', () =>
    withFleet(async ({ app, start }) => {
      const worker = await start({ hostname: 'w1' });
      await new Mailbox(await app.broker()).cast('shutdown', {}, { destination: [node] });
      assert.match((await worker.stopped).why, /remote control/);
    }));

  it('a worker that is not to answer does not', () =>
    withFleet(async ({ app, start }) => {
      await start({ hostname: 'w1', remoteControl: false });
      assert.equal((await new Mailbox(await app.broker()).call('ping', {}, { timeout: 0.05 })).size, 0);
    }));
});

// What deafens a Python worker (the poison table of the wire specification, its pidbox rows).
const malformed: [string, unknown, Record<string, unknown>?][] = [
  ['no method', { arguments: {} }],
  ['a body that is a list', []],
  ['a body that is text', 'ping'],
  ['an unknown matcher', { method: 'ping', pattern: 'w*', matcher: 'soundex' }],
  ['a pattern that is no expression', { method: 'ping', pattern: '(', matcher: 'pcre' }],
  ['a clock that is text', { method: 'ping' }, { clock: 'x' }],
  ['arguments that are a list', { method: 'ping', arguments: [] }],
  ['a reply address that is text', { method: 'ping', ticket: 't', reply_to: 'me' }],
  ['an election', { method: 'election', arguments: { id: 'a', topic: 'task', action: {} } }],
];

describe('a worker hears the next command after', () => {
  for (const [what, body, headers = {}] of malformed) {
    it(what, () =>
      withFleet(async (fleet) => {
        await fleet.start({ hostname: 'w1' });
        const { fanout } = await fleet.app.broker();
        await fanout!.publish(controlExchange, '', transientEnvelope(body, headers, controlExchange, ''));
        await pings(fleet);
      }),
    );
  }

  it('a message of another content type, and one without properties', () =>
    withFleet(async (fleet) => {
      await fleet.start({ hostname: 'w1' });
      const { fanout } = await fleet.app.broker();
      const good = transientEnvelope({ method: 'ping' }, {}, controlExchange, '');
      await fanout!.publish(controlExchange, '', { ...good, 'content-type': 'application/x-python-serialize' });
      await fanout!.publish(controlExchange, '', { ...good, properties: null } as never);
      await pings(fleet);
    }));
});

async function pings({ app }: Fleet): Promise<void> {
  assert.deepEqual((await new Mailbox(await app.broker()).call('ping', {}, only)).get(node), { ok: 'pong' });
}

describe('worker events', () => {
  it('say that it came, that it lives and that it went', () =>
    withFleet(async ({ app, start }) => {
      const events: Record<string, unknown>[] = [];
      const keys: string[] = [];
      const second = deferred();
      const broker = await app.broker();
      await using _ = await broker.fanout!.subscribe({
        exchange: eventExchange,
        routingKey: 'worker.#',
        queue: 'q',
        onMessage: (open) => {
          const envelope = open();
          events.push(decodeBody(envelope) as Record<string, unknown>);
          keys.push(envelope.properties.delivery_info.routing_key);
          assert.equal(envelope.headers['hostname'], node);
          if (events.length === 3) second.resolve();
        },
      });
      const worker = await start({ hostname: 'w1', heartbeatInterval: 0.01 });
      await second.promise;
      await worker.stop();
      await new Promise(setImmediate);
      const types = events.map((event) => event['type']);
      assert.deepEqual([types[0], types[1], types.at(-1)], ['worker-online', 'worker-heartbeat', 'worker-offline']);
      assert.deepEqual([keys[0], keys[1], keys.at(-1)], ['worker.online', 'worker.heartbeat', 'worker.offline']);
      const clocks = events.map((event) => event['clock'] as number);
      assert.deepEqual(
        clocks,
        [...clocks].sort((a, b) => a - b),
      );
      const { hostname, pid, freq, active, processed, loadavg } = events[0]!;
      assert.deepEqual([hostname, pid, freq, active, processed], [node, process.pid, 0.01, 0, 0]);
      assert.equal((loadavg as number[]).length, 3);
    }));
});
