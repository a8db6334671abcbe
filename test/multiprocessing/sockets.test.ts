// Queues and pipes where libc cannot be called.
process.env['SIMUL_FFI'] = '0';

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BrokenError,
  CancelledError,
  ClosedError,
  EmptyError,
  FullError,
  TimeoutError,
} from '../../src/base/errors.ts';
import { fromModule } from '../../src/callable/from-module.ts';
import { ProcessHost } from '../../src/callable/process-host.ts';
import * as mp from '../../src/entry/multiprocessing.ts';
import { hasLibc } from '../../src/os/libc.ts';

const { JoinableQueue, Manager, Pipe, Process, Queue, SimpleQueue, wait } = mp;
const parties = fromModule<typeof import('./socket-parties.js')>(new URL('./socket-parties.js', import.meta.url));

test('without libc what needs shared memory says so, and what to use', () => {
  assert.equal(hasLibc(), false);
  for (const make of [
    () => new mp.Lock(),
    () => new mp.Value('int32'),
    () => new mp.Event(),
    () => new mp.LifoQueue(),
  ]) {
    assert.throws(make, { code: 'SIMUL_UNSUPPORTED', message: /koffi.*queues and pipes go over sockets/ });
  }
  assert.throws(() => new mp.SharedMemory({ create: true, size: 8 }), { code: 'SIMUL_UNSUPPORTED' });
  assert.deepEqual(mp.getAllStartMethods(), ['spawn']);
});

test('in its maker a queue is as any other', async () => {
  const queue = new Queue<unknown>(2, { capacity: 1024 });
  assert.throws(() => queue.getNowait(), EmptyError);
  await assert.rejects(queue.get({ timeout: 0.01 }), TimeoutError);
  const item = { n: 1, at: new Date(0) };
  await queue.put(item);
  item.n = 2;
  queue.putNowait('two');
  assert.deepEqual([queue.qsize(), queue.full(), queue.empty()], [2, true, false]);
  assert.throws(() => queue.putNowait(3), FullError);
  const abort = new AbortController();
  const aborted = assert.rejects(queue.put(3, { signal: abort.signal }), CancelledError);
  const waiting = queue.put(4);
  abort.abort();
  await aborted;
  const left = assert.rejects(queue.put(5), CancelledError);
  assert.deepEqual(await queue.get(), { n: 1, at: new Date(0) });
  await waiting;
  queue.cancelJoinThread();
  await left;
  await queue.joinThread();
  assert.deepEqual([await queue.get(), await queue.get()], ['two', 4]);
  await assert.rejects(queue.put('x'.repeat(600)), /at most 512 bytes/);
  await assert.rejects(
    queue.put(() => {}),
    { code: 'SIMUL_ENCODE' },
  );
  queue.close();
  await assert.rejects(queue.put(1), ClosedError);
});

test('three producers, two consumers, each item once and in the order of its producer', async () => {
  const items = new Queue<readonly [string, number]>(4);
  const out = new SimpleQueue<unknown>();
  const consumers = [1, 2].map(() => new Process(parties.consume, [items, out]).start());
  const producers = ['a', 'b', 'c'].map((name) => new Process(parties.produce, [items, name, 200]).start());
  const taken: (readonly [string, number])[] = [];
  while (taken.length < 600) taken.push((await out.get({ timeout: 60 })) as readonly [string, number]);
  items.shutdown();
  assert.deepEqual([await out.get(), await out.get()], ['end', 'end']);
  for (const child of [...producers, ...consumers]) assert.equal(await child.join(), 0);
  assert.equal(new Set(taken.map(String)).size, 600);
});

test('producers and consumers killed at random points leave the queue whole', async () => {
  const queue = new Queue<readonly [string, number]>(8);
  for (let round = 0; round < 3; round++) {
    const taken = new SimpleQueue<readonly [string, number]>();
    const producer = new Process(parties.putForEver, [queue, `p${round}`]).start();
    const consumer = new Process(parties.takeForEver, [queue, taken]).start();
    let last = -1;
    // A last word of the producer before may come late.
    const next = ([name, number]: readonly [string, number]) => name !== `p${round}` || assert.equal(number, ++last);
    for (let n = 0; n < 50 + round * 7; n++) next(await taken.get({ timeout: 60 }));
    for (const victim of round % 2 === 0 ? [producer, consumer] : [consumer, producer]) victim.kill();
    await Promise.all([producer.join(), consumer.join()]);
    while (!taken.empty()) next(await taken.get());
    const rest: number[] = [];
    while (!queue.empty()) rest.push((await queue.get())[1]);
    // The consumer had one in hand, and one under way.
    assert.ok(rest.length === 0 || rest[0]! - last <= 3, `${rest[0]} after ${last}`);
    rest.forEach((number, index) => assert.equal(number, rest[0]! + index));
  }
});

test('a consumer that dies waiting takes nothing with it', async () => {
  const queue = new Queue<string>();
  const ready = new SimpleQueue<string>();
  const child = new Process(parties.waitForItem, [queue, ready]).start();
  await ready.get({ timeout: 30 });
  child.kill();
  await child.join();
  await queue.put('still here');
  assert.equal(await queue.get({ timeout: 30 }), 'still here');
});

test('join waits for what others have taken', async () => {
  const jobs = new JoinableQueue<number>();
  const child = new Process(parties.work, [jobs], { daemon: true }).start();
  for (let n = 0; n < 20; n++) await jobs.put(n);
  await jobs.join({ timeout: 30 });
  child.kill();
  await child.join();
  assert.throws(() => jobs.taskDone(), { code: 'SIMUL_INVALID_STATE' });
});

test('elsewhere, what cannot be without shared memory says so', async () => {
  await using host = new ProcessHost();
  const codes = await host.call(parties.limits, [new Queue<number>()]);
  assert.deepEqual(
    codes,
    Array.from({ length: 4 }, () => 'SIMUL_UNSUPPORTED'),
  );
});

test('a pipe carries both ways, and ends with its other end, closed or killed', async () => {
  for (const end of ['close', 'kill'] as const) {
    const [ours, theirs] = Pipe();
    const child = new Process(parties.echo, [theirs]).start();
    theirs.close();
    assert.deepEqual(await wait([ours], { timeout: 0 }), []);
    const value = { big: Buffer.alloc(100_000, 7), map: new Map([[1, 2n]]) };
    await ours.send(value);
    assert.deepEqual(await wait([ours], { timeout: 30 }), [ours]);
    assert.deepEqual(await ours.recv({ timeout: 30 }), value);
    if (end === 'close') ours.close();
    else child.kill();
    await child.join();
    if (end === 'kill') {
      await assert.rejects(ours.recv({ timeout: 30 }), ClosedError);
      await assert.rejects(ours.send(1), BrokenError);
    }
    assert.equal(child.exitcode, end === 'close' ? 0 : -9);
  }
});

test('one way, and handed on by a child through a queue', async () => {
  const [reader, writer] = Pipe<string>(false);
  const queue = new Queue<mp.Connection<string>>();
  assert.deepEqual([reader.writable, writer.readable], [false, false]);
  await assert.rejects(reader.send('x'), { code: 'SIMUL_UNSUPPORTED' });
  const child = new Process(parties.handOn, [writer, queue]).start();
  writer.close();
  const back = await queue.get({ timeout: 30 });
  assert.equal(await child.join(), 0);
  await back.send('hello');
  assert.equal(await reader.recv({ timeout: 30 }), 'hello');
  back.close();
  await assert.rejects(reader.recv({ timeout: 30 }), ClosedError);
});

test('a manager’s lock is freed when the process that held it is gone', async () => {
  await using manager = await Manager();
  const lock = await manager.Lock();
  const ready = new SimpleQueue<string>();
  const child = new Process(parties.holdLock, [lock, ready]).start();
  assert.equal(await ready.get({ timeout: 30 }), 'held');
  await assert.rejects(lock.acquire({ timeout: 0.01 }), TimeoutError);
  const abort = new AbortController();
  const aborted = assert.rejects(lock.acquire({ signal: abort.signal }), CancelledError);
  abort.abort();
  await aborted;
  child.kill();
  await lock.acquire({ timeout: 30 });
  await child.join();
});
