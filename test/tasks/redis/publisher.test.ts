import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Layout } from '../../../src/tasks/brokers/redis/layout.ts';
import { Publisher } from '../../../src/tasks/brokers/redis/publisher.ts';
import { RedisConnection } from '../../../src/tasks/redis/connection.ts';
import { locateRedis } from '../../../src/tasks/redis/location.ts';
import { persist } from '../../../src/tasks/redis/persistence.ts';
import { idOf, message } from '../sqlite/messages.ts';
import { Place } from './place.ts';

const options = { queues: ['q'], lease: 600, hostname: 'h' };

test('a message that is sent in the tick in which a batch goes out goes with it or with the next', async () => {
  await using place = await Place.open();
  const publisher = new Publisher(open(place), new Layout(''), 4);
  const send = (id: string) => publisher.publish([{ queue: 'q', list: 'q', text: id }]);
  const ids = Array.from({ length: 60 }, (_, i) => `m${i}`);
  await send('first');
  // The answer to that has just come: what is waiting then is taken, in the midst of these.
  const sent: Promise<void>[] = [];
  for (const id of ids) {
    sent.push(send(id));
    await Promise.resolve();
  }
  await Promise.all(sent);
  assert.deepEqual((await place.call<string[]>('LRANGE', 'q', 0, -1)).toReversed(), ['first', ...ids]);
});

test('calls of many messages and of one, to several lists, keep their order in each', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  const many = Array.from({ length: 12 }, (_, i) => message(`many${i}`));
  await Promise.all([
    broker.publish([message('a')]),
    broker.publish([message('b'), message('urgent', { priority: 9 })]),
    broker.publish([message('c')]),
    broker.publish(many),
    broker.publish([message('d')]),
    broker.publish([message('e')], 'a token'),
    broker.publish([message('f')]),
  ]);
  const consumer = await broker.consume(options);
  const got: string[] = [];
  while (got.length < 19) got.push(...(await consumer.receive(100)).map(idOf));
  const plain = ['a', 'b', 'c', ...many.map((_, i) => `many${i}`), 'd', 'e', 'f'];
  assert.deepEqual(got.toSorted(), [...plain, 'urgent'].toSorted());
  assert.deepEqual(
    got.filter((id) => id !== 'urgent'),
    plain,
  );
});

test('a transaction is done as one, and one that cannot be written leaves none open', async () => {
  await using place = await Place.open();
  const connection = open(place);
  const [replies, other] = await Promise.all([
    connection.transaction([
      ['SET', ['a', 1]],
      ['LPUSH', ['a', 'x']],
      ['GET', ['a']],
    ]),
    connection.call('GET', ['a']),
  ]);
  assert.deepEqual([replies[0], replies[2], other], ['OK', '1', '1']);
  assert.match(String(replies[1]), /WRONGTYPE/);
  // Two of them make a command that is too long for a string.
  const half = 'x'.repeat(2 ** 28);
  await assert.rejects(connection.transaction([['MSET', ['a', half, 'b', half]]]), RangeError);
  assert.equal(await persist(20, () => connection.call('GET', ['a'])), '1');
});

function open(place: Place): RedisConnection {
  const connection = new RedisConnection(locateRedis(place.url()));
  place.own({ [Symbol.asyncDispose]: () => connection.close() });
  return connection;
}
