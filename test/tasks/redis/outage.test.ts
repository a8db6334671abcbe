import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosedError, ConnectionError } from '../../../src/base/errors.ts';
import { Simul } from '../../../src/tasks/app.ts';
import { Mailbox } from '../../../src/tasks/control/mailbox.ts';
import { persist } from '../../../src/tasks/redis/persistence.ts';
import { Worker } from '../../../src/worker/worker.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { freePort } from '../../support/server.ts';
import { idOf, message } from '../sqlite/messages.ts';
import { Program } from '../sqlite/program.ts';
import { DurableRedis } from './durable-redis.ts';
import { bulk, FakeServer } from './fake-server.ts';
import { Place, until } from './place.ts';
import { Proxy } from './proxy.ts';

test('sending without a server fails after a bounded time, says how often it was tried, and keeps no backlog', async () => {
  const port = await freePort();
  await using broker = await openBroker(`redis://me:secret@127.0.0.1:${port}?retry_timeout=0.3`);
  const calls = Array.from({ length: 50 }, (_, i) => broker.publish([message(`m${i}`)]));
  for (const outcome of await Promise.allSettled(calls)) {
    const { reason } = outcome as PromiseRejectedResult;
    assert.ok(reason instanceof ConnectionError);
    assert.match(reason.message, /^cannot reach Redis at redis:\/\/me:\*\*\*@127\.0\.0\.1:\d+: connect ECONNREFUSED/);
    assert.ok(!reason.permanent);
  }
  const many = broker.publish(Array.from({ length: 10_000 }, (_, i) => message(`m${i}`)));
  await assert.rejects(broker.publish([message('one more')]), /10000 messages wait .*: no more are taken/);
  await assert.rejects(many, ConnectionError);
});

test('with a retry timeout of 0 sending fails at the first refusal', async () => {
  await using broker = await openBroker(`redis://127.0.0.1:${await freePort()}?retry_timeout=0`);
  await assert.rejects(broker.publish([message('a')]), (error: Error) => !error.message.includes('tried'));
});

test('what is sent and waited for during an outage arrives after it, once', async () => {
  await using redis = new DurableRedis(await freePort());
  await using broker = await openBroker(`${redis.url}?retry_timeout=30`);
  await using backend = await openBackend(`${redis.url}?retry_timeout=30`);
  const sent = broker.publish([message('a'), message('b')]);
  redis.start();
  await sent;
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  const [a] = await consumer.receive(1);
  const waiting = backend.wait('t');
  await backend.store([{ id: 't', state: 'STARTED', document: '{"status": "STARTED", "result": 1}' }]);
  await redis.kill();
  const later = broker.publish([message('c')]);
  const stored = backend.store([{ id: 't', state: 'SUCCESS', document: '{"status": "SUCCESS", "result": 5}' }]);
  redis.start();
  await Promise.all([later, stored]);
  assert.equal((await waiting).state, 'SUCCESS');
  const got: string[] = [];
  while (got.length < 2) got.push(...(await consumer.receive(9).catch(() => [])).map(idOf));
  assert.deepEqual(got, ['b', 'c']);
  assert.deepEqual(await consumer.acknowledge([a!]), [true], 'the claim has outlived the server');
});

test('who asks the fleet waits for the server as any other client does', async () => {
  await using redis = new DurableRedis(await freePort());
  await using broker = await openBroker(`${redis.url}?retry_timeout=30`);
  const answers = new Mailbox(broker).call('ping', {}, { timeout: 0.1 });
  redis.start();
  assert.equal((await answers).size, 0);
  await using hasty = await openBroker(`redis://127.0.0.1:${await freePort()}?retry_timeout=0.1`);
  await assert.rejects(new Mailbox(hasty).call('ping'), /cannot reach Redis at .*ECONNREFUSED/);
});

test('a server that does not answer fails what is sent after a bounded time, and that once for all who wait', async () => {
  await using server = new FakeServer((command) => (command === 'INFO' ? bulk('redis_version:7.0.0\r\n') : ''));
  const url = `redis://127.0.0.1:${await server.listen()}?socket_timeout=0.3&retry_timeout=0.2`;
  await using broker = await openBroker(url);
  await using backend = await openBackend(url);
  // Too many at a time to go out together.
  const thousand = Array.from({ length: 1000 }, (_, i) => message(`m${i}`));
  const calls: Promise<unknown>[] = Array.from({ length: 10 }, () => broker.publish(thousand));
  calls.push(backend.store([{ id: 't', state: 'SUCCESS', document: '{"status": "SUCCESS"}' }]), backend.fetch(['t']));
  calls.push(broker.sizes(['q']));
  for (const outcome of await Promise.allSettled(calls)) {
    const { reason } = outcome as PromiseRejectedResult;
    assert.ok(reason instanceof ConnectionError, String(reason));
    assert.match(reason.message, /cannot reach Redis at \S+: it has not answered for 0.3 s \(socket_timeout\)/);
  }
  const batches = server.commands.filter((command) => command === 'EVALSHA').length;
  assert.ok(batches < 5, `${batches} attempts, each of them silent`);
});

test('closing does not wait for a claim that a silent server owes', async () => {
  await using server = new FakeServer((command) => (command === 'INFO' ? bulk('redis_version:7.0.0\r\n') : ''));
  await using broker = await openBroker(`redis://127.0.0.1:${await server.listen()}?socket_timeout=9999`);
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  const received = assert.rejects(consumer.receive(1), ClosedError);
  while (!server.commands.includes('EVALSHA')) await new Promise(setImmediate);
  await broker.close();
  await received;
});

test('a claim whose answer was lost is handed out all the same', async () => {
  await using place = await Place.open();
  const proxy = place.own(new Proxy(place.server.port));
  await using broker = await openBroker(`redis://127.0.0.1:${await proxy.listen()}`);
  const consumer = await broker.consume({ queues: ['q'], lease: 600, hostname: 'h' });
  // The server knows the script from here on: the answer lost is that of a claim.
  await broker.publish([message('first')]);
  await consumer.acknowledge(await consumer.receive(1));
  await broker.publish([message('a'), message('b')]);
  const swallowed = proxy.swallowAnswerTo(/EVALSHA[^]*simul:quarantine/i);
  const deliveries = await consumer.receive(2);
  await swallowed;
  assert.deepEqual(deliveries.map(idOf), ['a', 'b']);
  assert.deepEqual(await consumer.acknowledge(deliveries), [true, true]);
  assert.equal(await place.call('EXISTS', 'unacked'), 0);
});

test('a message whose confirmation was lost is not sent twice', async () => {
  await using place = await Place.open();
  const proxy = place.own(new Proxy(place.server.port));
  await using broker = await openBroker(`redis://127.0.0.1:${await proxy.listen()}`);
  await broker.publish([message('a')]);
  const swallowed = proxy.swallowAnswerTo(/EVALSHA[^]*simul:published/i);
  await broker.publish([message('b'), message('c')]);
  await swallowed;
  await broker.publish([message('d')]);
  assert.equal(await place.call('LLEN', 'q'), 4);
});

test('many messages whose confirmation was lost are not sent twice', async () => {
  await using place = await Place.open();
  const proxy = place.own(new Proxy(place.server.port));
  await using broker = await openBroker(`redis://127.0.0.1:${await proxy.listen()}`);
  const burst = (name: string) => Promise.all(names(20, name).map((id) => broker.publish([message(id)])));
  await burst('a');
  const swallowed = proxy.swallowAnswerTo(/LPUSH[^]*EVAL\r[^]*simul:published[^]*EXEC/);
  await burst('b');
  await swallowed;
  await broker.publish(names(20, 'c').map((id) => message(id)));
  const consumer = await broker.consume({ queues: ['q'], lease: 600, hostname: 'h' });
  const got = (await consumer.receive(100)).map(idOf);
  assert.deepEqual(got, [...names(20, 'a'), ...names(20, 'b'), ...names(20, 'c')]);
});

test('many messages that arrive after their own repetition are not stored twice', async () => {
  await using place = await Place.open();
  const proxy = place.own(new Proxy(place.server.port));
  const port = await proxy.listen();
  await using broker = await openBroker(`redis://127.0.0.1:${port}?socket_timeout=1`);
  await broker.publish(names(20, 'a').map((id) => message(id)));
  const release = proxy.holdBack(/LPUSH[^]*EVAL\r[^]*simul:published[^]*EXEC/);
  await broker.publish(names(20, 'b').map((id) => message(id)));
  await release();
  assert.equal(await place.call('LLEN', 'q'), 40);
});

test('a batch of any size is confirmed when its confirmation was lost', async () => {
  await using place = await Place.open();
  const proxy = place.own(new Proxy(place.server.port));
  await using broker = await openBroker(`redis://127.0.0.1:${await proxy.listen()}`);
  const swallowed = proxy.swallowAnswerTo(/EXEC\r\n$/);
  await broker.publish(names(130_000, 'a').map((id) => message(id)));
  await swallowed;
  assert.equal(await place.call('LLEN', 'q'), 130_000);
});

test('many messages that were refused do not count as stored because the refusal was lost', async () => {
  await using place = await Place.open();
  const proxy = place.own(new Proxy(place.server.port));
  await using broker = await openBroker(`redis://127.0.0.1:${await proxy.listen()}`);
  await broker.publish(names(20, 'a').map((id) => message(id)));
  await place.call('SET', 'bad', 'text');
  const swallowed = proxy.swallowAnswerTo(/LPUSH[^]*EVAL\r[^]*simul:published[^]*EXEC/);
  await assert.rejects(
    broker.publish(names(20, 'b').map((id) => message(id, { queue: 'bad' }))),
    /the key "bad" .* is not the list it should be/,
  );
  await swallowed;
});

test('what is sent with a token is stored once, however late it is sent again', async () => {
  await using place = await Place.open();
  const proxy = place.own(new Proxy(place.server.port));
  await using broker = await openBroker(`redis://127.0.0.1:${await proxy.listen()}?retry_timeout=0`);
  await broker.publish([message('a')]);
  const swallowed = proxy.swallowAnswerTo(/EVALSHA[^]*simul:published/i);
  await assert.rejects(broker.publish([message('b'), message('c')], 'token'), ConnectionError);
  await swallowed;
  assert.equal(await place.call('LLEN', 'q'), 3);
  // By now another batch is the last one.
  await persist(20, () => broker.publish([message('d')]));
  await broker.publish([message('b'), message('c')], 'token');
  assert.equal(await place.call('LLEN', 'q'), 4);
  await until(
    () => place.call<number>('EXISTS', 'simul:published:token'),
    (exists) => exists === 0,
  );
});

test('a retry and a continuation whose confirmation was lost for good are sent once', async () => {
  await using place = await Place.open();
  const proxy = place.own(new Proxy(place.server.port));
  await using direct = new Simul('client', { broker: place.url() });
  await using app = new Simul('worker', { broker: `redis://127.0.0.1:${await proxy.listen()}?retry_timeout=0` });
  const runs: string[] = [];
  app.task('again', { bind: true }, (ctx) => {
    runs.push(`again ${ctx.retries}`);
    if (ctx.retries === 0) ctx.retry({ countdown: 0 });
  });
  const log: string[] = [];
  const worker = new Worker(app, { loglevel: 'error', logWrite: (line) => log.push(line) });
  await worker.start();
  // The script is known from here on.
  await (await app.broker()).publish([message('other', { queue: 'other' })]);
  const swallowed = proxy.swallowAnswerTo(/EVALSHA[^]*simul:published/i);
  const result = await direct.sendTask('again');
  await swallowed;
  await result.get({ timeout: 20 });
  await worker.stop();
  assert.match(log.join(''), /cannot write the results of 1 tasks, trying again/);
  assert.deepEqual([...runs, await place.call('LLEN', 'celery')], ['again 0', 'again 1', 0]);
});

test('a wait survives the loss of its connection, whenever the result comes, and ends its subscription', async () => {
  await using place = await Place.open();
  const [client, worker] = [await place.backend(), await place.backend('?retry_timeout=6')];
  const subscribers = async () => (await place.call<[string, number]>('PUBSUB', 'NUMSUB', 'celery-task-meta-t'))[1];
  const waiting = client.wait('t');
  await until(subscribers, (count) => count === 1);
  await place.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(subscribers, (count) => count === 1);
  await place.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  // Perhaps before it listens again: then it must find the result by itself.
  await worker.store([{ id: 't', state: 'SUCCESS', document: '{"status": "SUCCESS", "result": 5}' }]);
  assert.equal((await waiting).state, 'SUCCESS');
  await until(subscribers, (count) => count === 0);
});

test('asking for a result again and again across an outage longer than the retry timeout goes on after it', async () => {
  await using redis = new DurableRedis(await freePort());
  redis.start();
  await using backend = await openBackend(`${redis.url}?retry_timeout=0.05`);
  await assert.rejects(backend.wait('t', AbortSignal.timeout(300)));
  await redis.kill();
  // What is rejected with nobody listening fails the test.
  for (let i = 0; i < 12; i++) await assert.rejects(backend.wait('t', AbortSignal.timeout(50)));
  redis.start();
  const waiting = backend.wait('t');
  await persist(20, () => backend.store([{ id: 't', state: 'SUCCESS', document: '{"status": "SUCCESS"}' }]));
  assert.equal((await waiting).state, 'SUCCESS');
});

test('a result of the same name in another database is not taken for ours', async () => {
  await using place = await Place.open();
  const [own, other] = [await place.backend('/1'), await place.backend('/2')];
  const waiting = own.wait('t');
  const subscribers = async () => (await place.call<[string, number]>('PUBSUB', 'NUMSUB', 'celery-task-meta-t'))[1];
  await until(subscribers, (count) => count === 1);
  await other.store([{ id: 't', state: 'SUCCESS', document: '{"status": "SUCCESS", "result": 1}' }]);
  await own.store([{ id: 't', state: 'SUCCESS', document: '{"status": "SUCCESS", "result": 2}' }]);
  assert.equal((await waiting).document, '{"status": "SUCCESS", "result": 2}');
});

test('connections cut at random: every task sent runs, every result arrives', { timeout: 100_000 }, async () => {
  await using place = await Place.open();
  await using worker = new Program('../../redis/fixtures/worker', [place.url()]);
  assert.equal(await worker.next(), 'ready');
  await using app = new Simul('chaos', { broker: place.url('?retry_timeout=30') });
  const sent = await storm(app, 300, 15, () => place.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
  assert.deepEqual(await sent.results, ids(300));
  worker.process.kill('SIGTERM');
  assert.equal(await worker.end(), 0, worker.errors);
  assert.equal(await place.call('LLEN', 'celery'), 0);
  assert.equal(await place.call('HLEN', 'unacked'), 0);
  const runs = await place.call<string[]>('HVALS', 'runs');
  assert.equal(runs.length, 300, 'no task was lost');
});

test('Redis and the worker killed at random: nothing acknowledged is lost', { timeout: 100_000 }, async () => {
  await using redis = new DurableRedis(await freePort());
  redis.start();
  await using app = new Simul('chaos', { broker: `${redis.url}?retry_timeout=60` });
  await using first = new Program('../../redis/fixtures/worker', [redis.url]);
  assert.equal(await first.next(), 'ready');
  let strikes = 0;
  const sent = await storm(app, 300, 6, async () => {
    if (strikes++ === 3) first.process.kill('SIGKILL');
    if (strikes % 2 === 0) return;
    await redis.kill();
    redis.start();
  });
  await using second = new Program('../../redis/fixtures/worker', [redis.url]);
  assert.equal(await second.next(), 'ready');
  assert.deepEqual(await sent.results, ids(300));
  second.process.kill('SIGTERM');
  assert.equal(await second.end(), 0, second.errors);
});

/** Sends tasks and strikes in between; resolves when all are sent. */
async function storm(app: Simul, count: number, strikes: number, strike: () => Promise<unknown>) {
  const sending = [];
  for (const i of ids(count)) {
    sending.push(app.sendTask('note', [i]));
    if (i % (count / strikes) === 0) await strike();
  }
  const handles = await Promise.all(sending);
  return { results: Promise.all(handles.map((handle) => handle.get({ timeout: 60 }))) };
}

function ids(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function names(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
