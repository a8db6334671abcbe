import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../../src/base/deferred.ts';
import { ClosedError } from '../../../src/base/errors.ts';
import { Bell } from '../../../src/tasks/brokers/redis/bell.ts';
import { ListWatch } from '../../../src/tasks/brokers/redis/list-watch.ts';
import { locateRedis } from '../../../src/tasks/redis/location.ts';
import { openBroker } from '../../../src/tasks/registry.ts';
import { idOf, message } from '../sqlite/messages.ts';
import { commandCounts, commandRates } from './command-counts.ts';
import { Place, until } from './place.ts';

const separator = '\x06\x16';

function queues(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `q${i}`);
}

async function waits(place: Place, count: number): Promise<void> {
  const listening = count > 4 ? /flags=t\b/ : /cmd=blmove/;
  await until(
    () => place.call<string>('CLIENT', 'LIST'),
    (list) => listening.test(list),
  );
}

for (const count of [1, 4, 5, 50]) {
  describe(`a consumer of ${count} queues`, () => {
    it('is woken by whoever writes to any of their lists, and asks for nothing in between', async () => {
      await using place = await Place.open();
      const consumer = await place.consumer({ queues: queues(count) });
      const text = JSON.stringify(message('first').envelope);
      for (const list of ['q0', `q${count - 1}${separator}3`, `q${count - 1}${separator}9`]) {
        const received = consumer.receive(1);
        await waits(place, count);
        // Python writes with LPUSH.
        await place.call('LPUSH', list, text);
        await consumer.acknowledge(await received);
      }
      const received = consumer.receive(1);
      await waits(place, count);
      // Once a second it looks all the same, and so does the thread that keeps claims.
      const { evalsha } = await commandRates(place, 3);
      assert.ok(evalsha! < 6, `${evalsha} steps a second`);
      await (await place.broker()).publish([message('last', { queue: `q${count - 1}` })]);
      assert.deepEqual((await received).map(idOf), ['last']);
    });

    it('finds its way back when its connections are cut', async () => {
      await using place = await Place.open();
      const consumer = await place.consumer({ queues: queues(count) });
      for (const id of ['a', 'b', 'c']) {
        const received = consumer.receive(1).catch(() => consumer.receive(1));
        await waits(place, count);
        for (const type of ['normal', 'pubsub']) await place.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
        await waits(place, count);
        await place.call('LPUSH', `q${count - 1}`, JSON.stringify(message(id).envelope));
        assert.deepEqual((await received).map(idOf), [id]);
      }
    });
  });
}

it('a watch rings for each list that changes, by itself', async () => {
  await using place = await Place.open();
  let rung = deferred();
  const lists = queues(100);
  const watch = new ListWatch(locateRedis(place.url()), lists, () => rung.resolve());
  place.own({ [Symbol.asyncDispose]: () => watch.close() });
  for (const write of ['LPUSH', 'RPUSH', 'EVAL']) {
    rung = deferred();
    watch.listen();
    await until(
      async () => (await commandCounts(place)).exists ?? 0,
      (count) => count > 0,
    );
    if (write === 'EVAL') await place.call('EVAL', "redis.call('LPUSH', KEYS[1], 'x')", 1, 'q99');
    else await place.call(write, 'q99', 'x');
    await rung.promise;
    await place.call('DEL', 'q99');
    await place.call('CONFIG', 'RESETSTAT');
  }
});

it('a consumer that waits knows at once until when, if it puts a message off', async (t) => {
  const waits: { seconds: number; end: () => void }[] = [];
  // Ends when it is rung and not by itself.
  t.mock.method(Bell.prototype, 'wait', (seconds: number) => new Promise<void>((end) => waits.push({ seconds, end })));
  t.mock.method(Bell.prototype, 'ring', () => waits.at(-1)?.end());
  await using place = await Place.open();
  const broker = await place.broker();
  await broker.publish([message('a')]);
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  const deliveries = await consumer.receive(1);
  const received = assert.rejects(consumer.receive(1), ClosedError);
  await until(
    async () => waits.length,
    (count) => count === 1,
  );
  assert.equal(waits[0]!.seconds, Infinity);
  await consumer.release(deliveries, { due: Date.now() / 1000 + 3600 });
  await until(
    async () => waits.length,
    (count) => count === 2,
  );
  assert.ok(waits[1]!.seconds > 3500 && waits[1]!.seconds <= 3600);
  await consumer.close();
  await received;
});

it('a user who may not have lists watched asks by turns', async () => {
  await using place = await Place.open();
  await place.call('ACL', 'SETUSER', 'me', 'on', '>secret', '~*', 'resetchannels', '+@all');
  await using broker = await openBroker(place.url().replace('//', '//me:secret@'));
  const consumer = await broker.consume({ queues: queues(5), lease: 30, hostname: 'h' });
  const received = consumer.receive(1);
  await until(
    () => place.call<string>('CLIENT', 'LIST'),
    (list) => list.includes('cmd=blmove'),
  );
  await place.call('LPUSH', `q4${separator}9`, JSON.stringify(message('a').envelope));
  assert.deepEqual((await received).map(idOf), ['a']);
});
