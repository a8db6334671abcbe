import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf, message } from '../sqlite/messages.ts';
import { Program } from '../sqlite/program.ts';
import { WorkerCommand } from './command.ts';
import { Place, until } from './place.ts';

function holder(...args: unknown[]): Program {
  return new Program('../../redis/fixtures/holder', args);
}

test('the claims of a killed process are back within seconds, long before its lease ends, and counted', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  await broker.publish(['a', 'b', 'c'].map((id) => message(id)));
  await using dead = holder(place.url(), 2, 600, 'wait');
  assert.deepEqual(await dead.next(), ['a', 'b']);
  const consumer = await broker.consume({ queues: ['q'], lease: 600, hostname: 'other' });
  assert.deepEqual((await consumer.receive(9)).map(idOf), ['c']);
  dead.process.kill('SIGKILL');
  const back = await consumer.receive(9);
  assert.deepEqual(back.map(idOf), ['a', 'b']);
  assert.deepEqual(
    back.map(({ redelivered, deliveries }) => [redelivered, deliveries]),
    [
      [true, 2],
      [true, 2],
    ],
  );
  await until(
    () => place.call<string[]>('ZRANGE', 'simul:consumers', 0, -1),
    (consumers) => consumers.length === 1,
  );
});

test(
  'a process that ends as soon as it has claimed is missed too, and not only when its lease ends',
  { timeout: 60_000 },
  async () => {
    await using place = await Place.open();
    const broker = await place.broker();
    await broker.publish([message('a')]);
    await using gone = holder(place.url(), 1, 600, 'exit');
    assert.deepEqual(await gone.next(), ['a']);
    const consumer = await broker.consume({ queues: ['q'], lease: 600, hostname: 'other' });
    const [back] = await consumer.receive(9);
    assert.deepEqual([idOf(back!), back!.redelivered, back!.deliveries], ['a', true, 2]);
  },
);

test('a blocked event loop keeps its claims beyond its lease', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  await broker.publish([message('a')]);
  await using blocked = holder(place.url(), 1, 1, 'block');
  assert.deepEqual(await blocked.next(), ['a']);
  const consumer = await broker.consume({ queues: ['q'], lease: 1, hostname: 'other' });
  // Several leases pass, in the server's own time, while the score that Celery goes by is kept young.
  const [first] = await score(place);
  await until(
    () => score(place),
    ([now]) => now! > first! + 3,
  );
  const none = new AbortController();
  const nothing = consumer.receive(1, none.signal).then(
    () => assert.fail('the claim was taken'),
    () => {},
  );
  blocked.proceed();
  assert.deepEqual(await blocked.next(), [true]);
  none.abort();
  await nothing;
  assert.equal(await blocked.end(), 0);
});

test('with a stall timeout a blocked event loop loses its claims, and only then', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  await broker.publish([message('a')]);
  await using blocked = holder(place.url(), 1, 600, 'block', 1.5);
  assert.deepEqual(await blocked.next(), ['a']);
  const consumer = await broker.consume({ queues: ['q'], lease: 600, hostname: 'other' });
  const [taken] = await consumer.receive(1);
  assert.equal(idOf(taken!), 'a');
  blocked.proceed();
  assert.deepEqual(await blocked.next(), [false]);
  assert.deepEqual(await consumer.acknowledge([taken!]), [true]);
  assert.equal(await blocked.end(), 0);
});

test('a process that only sends ends by itself', async () => {
  await using place = await Place.open();
  await using sender = new Program('../../redis/fixtures/sender', [place.url()]);
  assert.deepEqual(await sender.rest(), ['PENDING']);
  assert.equal(await sender.end(), 0);
  assert.equal(await place.call('LLEN', 'celery'), 4);
});

test('so does one that has waited for results and asked the fleet', async () => {
  await using place = await Place.open();
  await using _ = new WorkerCommand(place.url(), '-n', 'worker@test');
  await using asker = new Program('../../redis/fixtures/asker', [place.url()]);
  assert.deepEqual(await asker.rest(), [[2, 4, 6], ['worker@test']]);
  assert.equal(await asker.end(), 0);
});

async function score(place: Place): Promise<number[]> {
  const [, at] = await place.call<[string, string]>('ZRANGE', 'unacked_index', 0, -1, 'WITHSCORES');
  return [Number(at)];
}
