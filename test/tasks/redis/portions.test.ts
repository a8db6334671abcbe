import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '../../../src/base/errors.ts';
import type { RedisDelivery } from '../../../src/tasks/brokers/redis/delivery.ts';
import { Batch } from '../../../src/tasks/redis/batch.ts';
import { fromRedis } from '../../../src/tasks/redis/failure.ts';
import { portions } from '../../../src/tasks/redis/portions.ts';
import { Place } from './place.ts';

const mega = 2 ** 20;

test('portions keep to a number and to about 4 MB, and lose nothing', () => {
  const size = (item: number) => item * mega;
  assert.deepEqual(portions([], 3, size), []);
  assert.deepEqual(portions([1, 1, 1, 1, 1], 3, size), [
    [1, 1, 1],
    [1, 1],
  ]);
  assert.deepEqual(portions([3, 2, 9, 1, 3, 1], 100, size), [[3], [2], [9], [1, 3], [1]]);
});

test('the calls of one tick go out in portions, and each gets its answers', async () => {
  const sent: number[][] = [];
  const batch = new Batch<number, number>(
    10,
    async (items) => {
      sent.push([...items]);
      return items.map((item) => -item);
    },
    (item) => item * mega,
  );
  assert.deepEqual(await Promise.all([batch.add([3]), batch.add([2, 1]), batch.add([4])]), [[-3], [-2, -1], [-4]]);
  assert.deepEqual(sent, [[3], [2, 1], [4]]);
});

test('a mistake of ours is not taken for a lost connection', () => {
  for (const error of [new RangeError('Invalid string length'), new TypeError('x')]) {
    assert.equal(fromRedis(error, 'here'), error);
  }
  assert.ok(fromRedis(new Error('read ECONNRESET'), 'here') instanceof ConnectionError);
});

test('large claims are given back in their order', async () => {
  await using place = await Place.open();
  const text = (id: number) => `{"headers": {"id": "${id}"}, "big": "${'x'.repeat(mega)}", "properties": {}}`;
  const consumer = await place.consumer();
  for (let id = 0; id < 10; id++) await place.call('LPUSH', 'q', text(id));
  for (let got = 0; got < 10;) got += (await consumer.receive(10)).length;
  await place.call('CONFIG', 'RESETSTAT');
  await consumer.close();
  const stats = await place.call<string>('INFO', 'commandstats');
  assert.ok(Number(/cmdstat_hmget:calls=(\d+)/.exec(stats)![1]) >= 3, 'not all at once');
  const next = await place.consumer();
  const ids: string[] = [];
  while (ids.length < 10)
    ids.push(...(await next.receive(10)).map((one) => /"id": "(\d)"/.exec((one as RedisDelivery).text)![1]!));
  assert.deepEqual(ids, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});
