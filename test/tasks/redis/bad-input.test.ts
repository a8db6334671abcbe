import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import {
  ConnectionError,
  InvalidArgumentError,
  InvalidStateError,
  SimulError,
  UnsupportedError,
} from '../../../src/base/errors.ts';
import { Mailbox } from '../../../src/tasks/control/mailbox.ts';
import { Beginnings } from '../../../src/tasks/brokers/redis/beginnings.ts';
import { Claims } from '../../../src/tasks/brokers/redis/claims.ts';
import { Layout } from '../../../src/tasks/brokers/redis/layout.ts';
import { Recovery } from '../../../src/tasks/brokers/redis/recovery.ts';
import { Settlements } from '../../../src/tasks/brokers/redis/settlements.ts';
import { RedisConnection } from '../../../src/tasks/redis/connection.ts';
import { locateRedis } from '../../../src/tasks/redis/location.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { freePort } from '../../support/server.ts';
import { idOf, message } from '../sqlite/messages.ts';
import { simul, WorkerCommand } from './command.ts';
import { bulk, FakeServer } from './fake-server.ts';
import { Place, until } from './place.ts';

const options = { queues: ['q'], lease: 30, hostname: 'test@here' };

/** The rejection, checked to be one line that names the server and no password. */
async function rejection(work: Promise<unknown>, what = 'it'): Promise<SimulError & { permanent?: boolean }> {
  const error: unknown = await work.then(
    () => assert.fail(`${what} should have been refused`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SimulError, String(error));
  assert.ok(!error.message.includes('\n'), error.message);
  assert.match(error.message, /127\.0\.0\.1:\d+/);
  assert.ok(!error.message.includes('secret'), error.message);
  return error;
}

/** What publishing, consuming and storing say; each must fail alike. */
async function refusals(url: string): Promise<(SimulError & { permanent?: boolean })[]> {
  await using broker = await openBroker(url);
  await using backend = await openBackend(url);
  return [
    await rejection(broker.publish([message('a')])),
    await rejection(broker.consume(options).then((consumer) => consumer.receive(1))),
    await rejection(backend.store([{ id: 'a', state: 'SUCCESS', document: '{"status": "SUCCESS"}' }])),
    await rejection(backend.fetch(['a'])),
    await rejection(backend.wait('a')),
  ];
}

async function permanent(url: string, pattern: RegExp, type: new (...args: never[]) => Error): Promise<void> {
  for (const error of await refusals(url)) {
    assert.ok(error instanceof type, `${error.name}: ${error.message}`);
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /tried \d+ times/);
    if (error instanceof ConnectionError) assert.equal(error.permanent, true);
  }
}

test('a login that is refused says so at once', async () => {
  await using place = await Place.open(['--requirepass', 'right']);
  const { port } = place.server;
  await permanent(`redis://:secret@127.0.0.1:${port}`, /refused the login/, ConnectionError);
  await permanent(`redis://me:secret@127.0.0.1:${port}`, /refused the login/, ConnectionError);
  await permanent(`redis://127.0.0.1:${port}`, /refused the login: put user and password/, ConnectionError);
  await using broker = await openBroker(`redis://:right@127.0.0.1:${port}`);
  await broker.publish([message('a')]);
});

test('a password where there is none, and a database that does not exist, say so at once', async () => {
  await using place = await Place.open();
  await permanent(place.url().replace('//', '//:secret@'), /knows no password/, ConnectionError);
  await permanent(place.url('/99'), /the database in .* does not exist/, ConnectionError);
  assert.deepEqual(await place.call('KEYS', '*'), [], 'nothing went to database 0 instead');
});

test('a user who lacks a right is told which', async () => {
  await using place = await Place.open();
  await place.call('ACL', 'SETUSER', 'me', 'on', '>secret', '~*', '+ping');
  await permanent(
    place.url().replace('//', '//me:secret@'),
    /lacks a right, grant it with ACL SETUSER: NOPERM/,
    ConnectionError,
  );
});

for (const right of ['hset', 'zadd', 'sadd', 'ltrim']) {
  test(`a user without the right to ${right} loses no message`, async () => {
    await using place = await Place.open();
    await place.call('ACL', 'SETUSER', 'me', 'on', '>secret', '~*', '&*', '+@all', `-${right}`);
    await (await place.broker()).publish([message('a')]);
    await using broker = await openBroker(place.url().replace('//', '//me:secret@'));
    const consumer = await broker.consume(options);
    const error = await rejection(consumer.receive(1));
    assert.match(error.message, /lacks a right, grant it with ACL SETUSER/);
    assert.equal(error.permanent, true);
    assert.deepEqual([await place.call('LLEN', 'q'), await place.call('HLEN', 'unacked')], [1, 0]);
    assert.deepEqual([await place.call('ZCARD', 'unacked_index')], [0]);
  });
}

test('a user by whom claims cannot be renewed is told so while waiting', async () => {
  await using place = await Place.open();
  await place.call('ACL', 'SETUSER', 'me', 'on', '>secret', '~*', '&*', '+@all', '-smembers');
  await using broker = await openBroker(place.url().replace('//', '//me:secret@'));
  const consumer = await broker.consume(options);
  const error = await rejection(consumer.receive(1));
  assert.match(error.message, /the claims on Redis are not renewed: .* lacks a right/);
  assert.equal(error.permanent, true);
  await place.call('ACL', 'SETUSER', 'me', '+@all');
});

test('a Redis that is too old says so at once', async () => {
  await using old = new FakeServer((command) => (command === 'INFO' ? bulk('redis_version:5.0.14\r\n') : '+OK\r\n'));
  await permanent(
    `redis://127.0.0.1:${await old.listen()}`,
    /Redis 5\.0\.14 .* too old: Simul needs 6\.2/,
    UnsupportedError,
  );
});

test('a node of a cluster is not supported, and says so at once', async () => {
  await using place = await Place.open(['--cluster-enabled', 'yes']);
  const [broker, backend] = [await place.broker(), await place.backend()];
  const unsupported = async (work: Promise<unknown>) => {
    const error = await rejection(work);
    assert.ok(error instanceof UnsupportedError, error.message);
    assert.match(error.message, /is part of a cluster, and those are not supported/);
  };
  await unsupported(broker.publish([message('a')]));
  await unsupported(backend.fetch(['a']));
  await place.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
  await until(
    () => place.call<string>('CLUSTER', 'INFO'),
    (info) => info.includes('cluster_state:ok'),
  );
  await unsupported(broker.publish([message('a')]));
});

test('closing ends and releases everything, whatever the server says of the claims', async () => {
  await using place = await Place.open();
  await using broker = await openBroker(place.url());
  await broker.publish([message('a')]);
  const consumer = await broker.consume(options);
  const [delivery] = await consumer.receive(1);
  const id = delivery!.tag.split(':')[1]!;
  await place.call('DEL', `simul:claims:${id}`);
  await place.call('SET', `simul:claims:${id}`, 'wrong');
  await consumer.close();
  assert.equal(await place.call('HLEN', 'unacked'), 1, 'it goes back when its lease has ended');
});

test('a Redis in protected mode says so at once', async () => {
  const said =
    '-DENIED Redis is running in protected mode because protected mode is enabled and no password is set.\r\n';
  await using server = new FakeServer(() => said);
  await permanent(
    `redis://127.0.0.1:${await server.listen()}`,
    /is in protected mode: give it a password/,
    ConnectionError,
  );
});

test('a server that speaks something else is no Redis', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await using broker = await openBroker(
      `redis://127.0.0.1:${(server.address() as AddressInfo).port}?retry_timeout=0`,
    );
    assert.ok((await rejection(broker.publish([message('a')]))) instanceof ConnectionError);
  } finally {
    server.close();
  }
});

test('a Redis that is loading is waited for', async () => {
  let loading = true;
  await using server = new FakeServer((command) => {
    if (command === 'INFO') return bulk('redis_version:7.0.0\r\n');
    if (loading) return '-LOADING Redis is loading the dataset in memory\r\n';
    return command === 'EVALSHA' ? '*1\r\n$0\r\n\r\n' : ':1\r\n';
  });
  const port = await server.listen();
  await using impatient = await openBroker(`redis://127.0.0.1:${port}?retry_timeout=1`);
  const error = await rejection(impatient.publish([message('a')]));
  assert.match(error.message, /still loading.*tried \d+ times/);
  assert.equal(error.permanent, false);
  await using broker = await openBroker(`redis://127.0.0.1:${port}`);
  const published = broker.publish([message('a')]);
  const before = server.commands.length;
  while (server.commands.length < before + 3) await new Promise(setImmediate);
  loading = false;
  await published;
});

test('a read-only replica is refused until it is a primary', async () => {
  await using place = await Place.open();
  const broker = await place.broker('?retry_timeout=20');
  const consumer = await broker.consume(options);
  await broker.publish([message('a')]);
  await place.call('REPLICAOF', '127.0.0.1', await freePort());
  const impatient = await place.broker('?retry_timeout=0.1');
  const error = await rejection(impatient.publish([message('lost')]));
  assert.match(error.message, /read-only replica: name the primary/);
  assert.equal(error.permanent, false);
  await rejection(consumer.receive(1));
  const published = broker.publish([message('b')]);
  await place.call('REPLICAOF', 'NO', 'ONE');
  await published;
  const got = [...(await consumer.receive(1)), ...(await consumer.receive(1))];
  assert.deepEqual(got.map(idOf), ['a', 'b']);
});

test('a full Redis refuses what is new and lets the work end', async () => {
  await using place = await Place.open();
  const broker = await place.broker('?retry_timeout=0.1');
  const backend = await place.backend('?retry_timeout=0.1');
  const consumer = await broker.consume({ ...options, countFrom: 'begin' });
  await broker.publish([message('a'), message('b')]);
  await place.call('CONFIG', 'SET', 'maxmemory', '1');
  for (const work of [
    () => broker.publish([message('c')]),
    () => backend.store([{ id: 'a', state: 'SUCCESS', document: '{"status": "SUCCESS"}' }]),
  ]) {
    const error = await rejection(work());
    assert.match(error.message, /out of memory: raise its maxmemory/);
    assert.equal(error.permanent, false);
  }
  const got = await consumer.receive(2);
  assert.deepEqual(got.map(idOf), ['a', 'b']);
  await consumer.begin(got);
  assert.deepEqual(await consumer.acknowledge([got[0]!]), [true]);
  await consumer.release([got[1]!]);
  await place.call('CONFIG', 'SET', 'maxmemory', '0');
  assert.deepEqual((await consumer.receive(2)).map(idOf), ['b']);
});

test('a key of the wrong type fails those who use it, and nothing else', async () => {
  await using place = await Place.open();
  await place.call('SET', 'bad', 'text');
  const broker = await place.broker();
  const both = [message('a', { queue: 'good' }), message('b', { queue: 'bad' })];
  const [good, mixed, more] = await Promise.allSettled([
    broker.publish([message('x', { queue: 'good' })]),
    broker.publish(both),
    broker.publish([message('y', { queue: 'good' })]),
  ]);
  assert.deepEqual([good.status, more.status], ['fulfilled', 'fulfilled']);
  const error = await rejection(Promise.reject((mixed as PromiseRejectedResult).reason));
  assert.ok(error instanceof InvalidStateError);
  assert.match(error.message, /the key "bad" .* not the list it should be: delete or rename it/);
  assert.equal((await broker.sizes(['good']))[0]!.waiting, 2, 'nothing of the mixed call was stored');

  const consumer = await broker.consume({ ...options, queues: ['bad', 'good'] });
  assert.deepEqual((await consumer.receive(5)).map(idOf), ['x', 'y']);
  const failed = await rejection(consumer.receive(5));
  assert.ok(failed instanceof InvalidStateError);
  assert.match(failed.message, /the key "bad"/);
  await place.call('DEL', 'bad');
  await broker.publish(both);
  assert.deepEqual((await consumer.receive(1)).length + (await consumer.receive(1)).length, 2);
});

test('a key of the wrong type fails many at once, and nothing else', async () => {
  await using place = await Place.open();
  await place.call('SET', 'bad', 'text');
  const broker = await place.broker();
  const burst = (queue: string) => Array.from({ length: 20 }, (_, i) => broker.publish([message(`${i}`, { queue })]));
  const bad = await Promise.allSettled(burst('bad'));
  assert.ok(bad.every((one) => one.status === 'rejected' && one.reason instanceof InvalidStateError));
  const [first, second] = await Promise.all([Promise.allSettled(burst('bad')), Promise.all(burst('good'))]);
  assert.ok(first.every((one) => one.status === 'rejected' && /the key "bad"/.test(String(one.reason))));
  assert.equal(second.length, 20);
  assert.equal((await broker.sizes(['good']))[0]!.waiting, 20);
});

test('who has no right to transactions sends all the same, each message once', async () => {
  await using place = await Place.open();
  for (const right of ['multi', 'exec']) {
    await place.call('ACL', 'SETUSER', 'me', 'on', '>secret', '~*', '&*', '+@all', `-${right}`);
    await using broker = await openBroker(place.url().replace('//', '//me:secret@'));
    const burst = () => Promise.all(Array.from({ length: 20 }, (_, i) => broker.publish([message(`${i}`)])));
    await Promise.all([burst(), broker.sizes(['q'])]);
    await burst();
    assert.equal(await place.call('LLEN', 'q'), 40, right);
    await place.call('DEL', 'q');
  }
});

test('a list of our own of the wrong type loses no message', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  const consumer = await broker.consume(options);
  await place.call('SET', 'unacked', 'text');
  await broker.publish([message('a')]);
  assert.ok((await rejection(consumer.receive(1))) instanceof InvalidStateError);
  assert.equal(await place.call('LLEN', 'q'), 1);
  await place.call('DEL', 'unacked');
  await place.call('SET', 'simul:quarantine', 'text');
  await place.call('RPUSH', 'q', 'not JSON');
  assert.deepEqual((await consumer.receive(5)).map(idOf), ['a']);
  assert.ok((await rejection(consumer.receive(5))) instanceof InvalidStateError);
  assert.equal(await place.call('LLEN', 'q'), 1);
  await place.call('DEL', 'simul:quarantine');
  await broker.publish([message('b')]);
  assert.deepEqual((await consumer.receive(5)).map(idOf), ['b']);
  assert.equal((await broker.quarantined())[0]!.text, 'not JSON');
});

test('each key of the wrong type is named, with what it should be', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  await broker.publish([message('a')]);
  const { claims, settlements, beginnings, recovery } = parts(place);
  const [delivery] = (await claims.take(1)).deliveries;
  const take = () => claims.take(1);
  const acknowledge = () => settlements.acknowledge([delivery!.tag]);
  const postpone = () => settlements.release([delivery!], { due: Date.now() / 1000 + 60 });
  const cases: [string, string, () => Promise<unknown>][] = [
    ['unacked', 'hash', take],
    ['unacked_index', 'sorted set', take],
    ['simul:consumers', 'sorted set', take],
    ['simul:claims:c', 'set', take],
    ['simul:delayed:q', 'sorted set', take],
    ['unacked', 'hash', acknowledge],
    ['simul:begun:c', 'set', () => beginnings.add([delivery!.tag])],
    ['simul:delayed:q', 'sorted set', postpone],
    ['simul:quarantine', 'list', () => settlements.quarantine(delivery!.tag, {})],
    ['simul:quarantine', 'list', () => broker.quarantined()],
    ['simul:delayed:q', 'sorted set', () => broker.sizes(['q'])],
    ['q\x06\x163', 'list', () => broker.sizes(['q'])],
    ['simul:steward', 'text', () => recovery.round(3600)],
    ['simul:consumers', 'sorted set', () => recovery.round(3600)],
    ['_kombu.binding.reply.celery.pidbox', 'set', () => new Mailbox(broker).call('ping', {}, { timeout: 0 })],
    // What is acknowledged may go, whatever cannot be tidied up after it.
    ['simul:claims:c', 'set', acknowledge],
  ];
  for (const [key, type, work] of cases) {
    if (work !== acknowledge) assert.equal(await place.call('HLEN', 'unacked'), 1, `lost before ${key}`);
    await place.call('DEL', 'kept');
    await place.call('COPY', key, 'kept');
    await place.call('DEL', key);
    await place.call(type === 'hash' || type === 'list' ? 'SET' : 'RPUSH', key, 'wrong');
    const error = await rejection(work(), `${key} in ${String(work)}`);
    assert.ok(error instanceof InvalidStateError, `${key}: ${error.message}`);
    const said = `the key ${JSON.stringify(key)} at ${place.url()} is not the ${type} it should be: delete or rename it`;
    assert.ok(error.message.startsWith(said), `${said}\n${error.message}`);
    await place.call('DEL', key);
    await place.call('COPY', 'kept', key);
  }
});

test('a user who may not look is told as much as is known of a key of the wrong type', async () => {
  await using place = await Place.open();
  await place.call('ACL', 'SETUSER', 'me', 'on', '>secret', '~*', '&*', '+@all', '-type');
  await place.call('RPUSH', 'unacked_index', 'wrong');
  const { claims } = parts(place, place.url().replace('//', '//me:secret@'));
  assert.match((await rejection(claims.take(1))).message, /a key of the queue or of Simul .* is of the wrong type/);
});

test('a key of the wrong type that holds up nobody is named by a warning', async () => {
  await using place = await Place.open();
  await place.call('SET', '_kombu.binding.celery', 'wrong');
  await place.call('RPUSH', 'simul:steward', 'wrong');
  await using worker = new WorkerCommand(place.url());
  await worker.says(/dead workers are not given back: the key "simul:steward" .* is not the text it should be/);
  const { code, stderr } = await simul('call', 'add', '2', '3', '--wait', '-b', place.url());
  assert.equal(code, 0);
  assert.match(stderr, /give back messages of a queue: the key "_kombu\.binding\.celery" .* is not the set it should/);
});

/** What a consumer is made of, without the thread that keeps its claims. */
function parts(place: Place, url = place.url()) {
  const connection = new RedisConnection(locateRedis(url));
  place.own({ [Symbol.asyncDispose]: () => connection.close() });
  const layout = new Layout('');
  return {
    claims: new Claims(connection, layout, 'c', options),
    settlements: new Settlements(connection, layout, 'c'),
    beginnings: new Beginnings(connection, layout.begun('c')),
    recovery: new Recovery(connection, layout, 'steward'),
  };
}

test('URLs say what is wrong with them', async () => {
  for (const url of [
    'redis://host:port',
    'redis://host/name',
    'redis://host?visibility_timeout=soon',
    'redis://host?colour=red',
    'redis://one;redis://two',
    'redis://host?socket_timeout=0',
    'redis://me:%zz@host',
    'rediss://host?ssl_cert_reqs=maybe',
    'rediss://host?ssl_ca_certs=/nowhere/ca.pem',
  ]) {
    await assert.rejects(openBroker(url), InvalidArgumentError, url);
    await assert.rejects(openBackend(url), InvalidArgumentError, url);
  }
});

test('without the library a Redis URL says what to install', () => {
  const hook = `export const resolve = (name, context, next) => {
    if (name === 'ioredis') throw new Error('there is none');
    return next(name, context);
  }`;
  const registry = new URL('../../../src/tasks/registry.js', import.meta.url).href;
  const program = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));
    const { openBackend, openBroker } = await import(${JSON.stringify(registry)});
    for (const open of [openBroker, openBackend]) await open('redis://localhost').catch((error) => console.log(error.message));
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  const line = 'a redis:// URL needs the package "ioredis": npm install ioredis\n';
  assert.equal(stdout, line + line);
});
