import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { within } from '../../../src/base/deadline.ts';
import { CancelledError } from '../../../src/base/errors.ts';
import { seeded } from '../../../src/base/virtual-clock.ts';
import type { Broker, Consumer, Delivery } from '../../../src/tasks/broker.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { loadSqlite } from '../../../src/tasks/sqlite/driver.ts';
import { Directory } from './directory.ts';
import { idOf, message } from './messages.ts';
import { Program } from './program.ts';

const ids = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);

/** Bounded, so that a message which never comes fails its own test. */
function receive(consumer: Consumer, max: number): Promise<Delivery[]> {
  return within(consumer.receive(max), { timeout: 30 });
}

async function receiveIds(consumer: Consumer, count: number): Promise<string[]> {
  const got: string[] = [];
  while (got.length < count) got.push(...(await receive(consumer, count - got.length)).map(idOf));
  return got;
}

function consume(broker: Broker, lease = 3600): Promise<Consumer> {
  return broker.consume({ queues: ['q'], lease, hostname: 'test@here' });
}

test('the claims of a killed consumer go to another, counted, long before the lease ends', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  await broker.publish(ids(5).map((id) => message(id)));
  await using holder = new Program('holder', [directory.url, 3, 'block', 3600]);
  assert.deepEqual(await holder.next(), ids(3));
  const consumer = await consume(broker);
  assert.deepEqual(await receiveIds(consumer, 2), ['m3', 'm4']);
  const waiting = receive(consumer, 10);
  holder.process.kill('SIGKILL');
  const deliveries = await waiting;
  assert.deepEqual(deliveries.map(idOf), ids(3));
  assert.deepEqual(new Set(deliveries.map((each) => `${each.redelivered} ${each.deliveries}`)), new Set(['true 2']));
  await holder.end();
  const alive = readdirSync(`${directory.database}-locks`).filter((name) => name.endsWith('.alive'));
  assert.equal(alive.length, 1, 'only our own lock file is left');
});

test('a producer killed right after its publish was answered has lost nothing', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  const consumer = await consume(broker);
  for (const size of [1, 20]) {
    await using producer = new Program('producer', [directory.url, `p${size}`, 100_000, size]);
    let safe = 0;
    while (safe < 10 * size) safe = await producer.next<number>();
    producer.process.kill('SIGKILL');
    safe = (await producer.rest<number>()).at(-1) ?? safe;
    await producer.end();
    const got = await receiveIds(consumer, safe);
    assert.deepEqual(
      got,
      Array.from({ length: safe }, (_, i) => `p${size}-${i}`),
    );
    await broker.purge('q');
  }
});

test("four producers and two consumers: every message once, in each producer's order", async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  const names = ['a', 'b', 'c', 'd'];
  await using one = new Program('drainer', [directory.url, 100]);
  await using two = new Program('drainer', [directory.url, 37]);
  const outputs = Promise.all([one.rest<string[]>(), two.rest<string[]>()]);
  const producers = names.map((name) => new Program('producer', [directory.url, name, 5000, 50]));
  for (const producer of producers) {
    await producer.rest();
    assert.equal(await producer.end(), 0, producer.errors);
  }
  const empty = () => broker.sizes(['q']).then(([size]) => size!.waiting + size!.claimed === 0);
  while (!(await empty())) await new Promise((resolve) => setTimeout(resolve, 10));
  for (let stopped = 0; stopped < 2; stopped++) {
    await broker.publish([message('stop', { queue: 'stop' })]);
    await Promise.race([one, two].filter((each) => each.process.exitCode === null).map((each) => each.end()));
  }
  assert.deepEqual([await one.end(), await two.end()], [0, 0], one.errors + two.errors);
  const [first, second] = await outputs;
  const got = [...first, ...second].flat();
  assert.equal(got.length, 20_000);
  assert.deepEqual(
    new Set(got),
    new Set(names.flatMap((name) => Array.from({ length: 5000 }, (_, i) => `${name}-${i}`))),
  );
  for (const output of [first, second]) {
    for (const name of names) {
      const order = output
        .flat()
        .filter((id) => id.startsWith(name))
        .map((id) => Number(id.slice(2)));
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
    }
  }
});

test('consumers killed at any moment lose nothing, and the file stays sound', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  const all = Array.from({ length: 6000 }, (_, i) => `x-${i}`);
  await broker.publish(all.map((id) => message(id)));
  const seen: string[] = [];
  for (let round = 0; round < 6; round++) {
    await using drainer = new Program('drainer', [directory.url, 1 + Math.floor(random() * 50)]);
    for (let left = 1 + random() * 20; left > 0; left--) seen.push(...(await drainer.next<string[]>()));
    drainer.process.kill('SIGKILL');
    seen.push(...(await drainer.rest<string[]>()).flat());
  }
  const consumer = await consume(broker);
  const missing = new Set(all).size - new Set(seen).size;
  assert.ok(missing > 0, 'they were killed before the end');
  for (let settled = false; !settled;) {
    const deliveries = await receive(consumer, 1000);
    seen.push(...deliveries.map(idOf));
    await consumer.acknowledge(deliveries);
    const [size] = await broker.sizes(['q']);
    settled = size!.waiting + size!.claimed === 0;
  }
  assert.deepEqual(new Set(seen), new Set(all));
  const db = loadSqlite().open(directory.database);
  const [check] = db.prepare('PRAGMA integrity_check').all([]);
  db.close();
  assert.equal(check!['integrity_check'], 'ok');
});

test('a consumer that is blocked for several leases keeps its claims', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  await broker.publish([message('a')]);
  await using holder = new Program('holder', [directory.url, 1, 'block', 0.3]);
  await holder.next();
  const consumer = await consume(broker);
  await assert.rejects(consumer.receive(1, AbortSignal.timeout(3500)), CancelledError);
  holder.proceed();
  assert.deepEqual(await holder.next(), [true]);
  assert.equal(await holder.end(), 0, holder.errors);
});

test('a consumer that is blocked beyond its stallTimeout loses its claims', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  await broker.publish([message('a')]);
  await using holder = new Program('holder', [directory.url, 1, 'block', 3600, 0.3]);
  await holder.next();
  const consumer = await consume(broker);
  assert.deepEqual(await receiveIds(consumer, 1), ['a']);
  holder.proceed();
  assert.deepEqual(await holder.next(), [false]);
});

test('a consumer whose process stands still loses its claims when the lease ends', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  await broker.publish([message('a')]);
  await using holder = new Program('holder', [directory.url, 1, 'block', 0.3]);
  await holder.next();
  holder.process.kill('SIGSTOP');
  const consumer = await consume(broker);
  assert.deepEqual(await receiveIds(consumer, 1), ['a']);
  holder.process.kill('SIGCONT');
  holder.proceed();
  assert.deepEqual(await holder.next(), [false]);
});

test('a program that only publishes ends by itself', async () => {
  using directory = new Directory();
  await using producer = new Program('producer', [directory.url, 'p', 3, 1]);
  assert.deepEqual(await producer.rest(), [1, 2, 3]);
  assert.equal(await producer.end(), 0, producer.errors);
  await using broker = await openBroker(directory.url);
  assert.equal((await broker.sizes(['q']))[0]!.waiting, 3);
});

test('process.exit gives back what is claimed, counted, and leaves no lock file', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  await broker.publish([message('a')]);
  await using holder = new Program('holder', [directory.url, 1, 'exit', 3600]);
  assert.equal(await holder.end(), 3, holder.errors);
  assert.deepEqual(await broker.sizes(['q']), [{ queue: 'q', waiting: 1, delayed: 0, claimed: 0 }]);
  const [delivery] = await (await consume(broker)).receive(1);
  assert.deepEqual([delivery!.redelivered, delivery!.deliveries], [true, 2]);
  assert.equal(readdirSync(`${directory.database}-locks`).filter((name) => name.endsWith('.alive')).length, 1);
});

test('processes that make the database at the same moment agree', async () => {
  using directory = new Directory();
  const producers = ids(6).map((id) => new Program('producer', [directory.url, id, 10, 1]));
  for (const producer of producers) assert.equal(await producer.end(), 0, producer.errors);
  await using broker = await openBroker(directory.url);
  assert.equal((await broker.sizes(['q']))[0]!.waiting, 60);
});

test('those who wait for results are woken by another process', async () => {
  using directory = new Directory();
  await using backend = await openBackend(directory.url);
  await using storer = new Program('storer', [directory.url, ...ids(50)]);
  const waits = Promise.all(ids(50).map((id) => backend.wait(id)));
  storer.proceed();
  assert.deepEqual(
    (await waits).map((result) => result.document),
    ids(50),
  );
  assert.equal(await storer.end(), 0, storer.errors);
});
