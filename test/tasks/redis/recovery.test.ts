import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Layout } from '../../../src/tasks/brokers/redis/layout.ts';
import { Recovery } from '../../../src/tasks/brokers/redis/recovery.ts';
import { RedisConnection } from '../../../src/tasks/redis/connection.ts';
import { locateRedis } from '../../../src/tasks/redis/location.ts';
import { openBroker } from '../../../src/tasks/registry.ts';
import { message } from '../sqlite/messages.ts';
import { Program } from '../sqlite/program.ts';
import { Place, until } from './place.ts';

const claim = '[{"headers": {}, "properties": {}},"","q"]';

test('an expired lease is only a suspicion: who renews it keeps its claims', async () => {
  await using place = await Place.open();
  const connection = new RedisConnection(locateRedis(place.url()));
  try {
    const recovery = new Recovery(connection, new Layout(''), 'steward');
    const tag = 'simul:c:0:0:q';
    await place.call('HSET', 'simul:consumer:c', 'lease', 4);
    await place.call('HSET', 'unacked', tag, claim);
    await place.call('SADD', 'simul:claims:c', tag);
    for (let score = 1; score < 4; score++) {
      await place.call('ZADD', 'simul:consumers', score, 'c');
      for (let i = 0; i < 3; i++) await recovery.round(3600);
    }
    assert.equal(await place.call('LLEN', 'q'), 0);
    await until(
      async () => {
        await recovery.round(3600);
        return place.call<number>('LLEN', 'q');
      },
      (length) => length === 1,
    );
    assert.equal(await place.call('EXISTS', 'unacked', 'simul:consumer:c', 'simul:claims:c'), 0);
    await recovery.release();
    assert.equal(await place.call('EXISTS', 'simul:steward'), 0);
  } finally {
    await connection.close();
  }
});

test('a server stopped for longer than the leases costs nobody its claims', { timeout: 60_000 }, async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  await broker.publish([message('a'), message('b')]);
  await using other = new Program('../../redis/fixtures/holder', [place.url(), 1, 1, 'wait']);
  assert.deepEqual(await other.next(), ['a']);
  const consumer = await broker.consume({ queues: ['q'], lease: 1, hostname: 'h' });
  const [own] = await consumer.receive(1);
  const renewals = async () => {
    const ends = await place.call<string[]>('ZRANGE', 'simul:consumers', 0, -1, 'WITHSCORES');
    const [seconds] = await place.call<[string, string]>('TIME');
    return ends.filter((_, i) => i % 2 === 1).map((end) => Number(end) - Number(seconds));
  };
  const { pid } = place.server;
  process.kill(pid, 'SIGSTOP');
  // Time must pass for the server, which is what is tested.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  process.kill(pid, 'SIGCONT');
  await until(renewals, (ends) => ends.length === 2 && ends.every((end) => end > 0));
  assert.equal(await place.call('LLEN', 'q'), 0);
  assert.equal(await place.call('HLEN', 'unacked'), 2);
  assert.deepEqual(await consumer.acknowledge([own!]), [true]);
});

test('closing ends when the server does not answer, and not only when its connections are given up', async () => {
  await using place = await Place.open();
  await using broker = await openBroker(place.url('?socket_timeout=9999'));
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  await broker.publish([message('a')]);
  await consumer.receive(1);
  const { pid } = place.server;
  process.kill(pid, 'SIGSTOP');
  try {
    await broker.close();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('closing leaves nothing of its own behind', async () => {
  await using place = await Place.open();
  const broker = await openBroker(place.url());
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  await broker.publish([message('a')]);
  await consumer.receive(1);
  await until(
    () => place.call<number>('EXISTS', 'simul:steward'),
    (exists) => exists === 1,
  );
  await broker.close();
  assert.deepEqual(await place.call('KEYS', '*simul:*'), []);
});
