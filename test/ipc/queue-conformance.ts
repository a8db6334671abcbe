import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokenError, ClosedError, EmptyError, FullError, TimeoutError } from '../../src/base/errors.ts';
import { fromModule } from '../../src/callable/from-module.ts';
import * as multiprocessing from '../../src/entry/multiprocessing.ts';
import * as threading from '../../src/entry/threading.ts';
import type { ScopeUnderTest } from './scopes.ts';

const parties = fromModule<typeof import('./queue-parties.js')>(new URL('./queue-parties.js', import.meta.url));

/** What queues and pipes of every scope must do. */
export function testQueues(scope: ScopeUnderTest): void {
  const { Queue, Pipe } = scope;
  const it = (what: string, body: () => Promise<void> | void) => void test(`${scope.name}: ${what}`, body);

  it('a queue is first in, first out, and bounded', async () => {
    const queue = new Queue<number>(2);
    assert.throws(() => queue.getNowait(), EmptyError);
    assert.throws(() => queue.getSync({ timeout: 0.01 }), TimeoutError);
    await assert.rejects(queue.get({ timeout: 0.01 }), TimeoutError);
    queue.putNowait(1);
    queue.putSync(2);
    assert.deepEqual([queue.qsize(), queue.full(), queue.empty()], [2, true, false]);
    assert.throws(() => queue.putNowait(3), FullError);
    assert.throws(() => queue.putSync(3, { timeout: 0.01 }), TimeoutError);
    await assert.rejects(queue.put(3, { timeout: 0.01 }), TimeoutError);
    const waiting = queue.put(4);
    assert.deepEqual([await queue.get(), queue.getSync(), await queue.get()], [1, 2, 4]);
    await waiting;
  });

  it('items are copies, taken when they are put', async () => {
    const queue = new Queue<{ n: number } | Buffer>(0, { capacity: 1024 });
    const item = { n: 1 };
    await queue.put(item);
    item.n = 2;
    assert.deepEqual(await queue.get(), { n: 1 });
    await queue.put(Buffer.alloc(400));
    await queue.put(Buffer.alloc(400));
    const bytes = Buffer.alloc(400, 1);
    const waiting = queue.put(bytes); // no room: it waits
    bytes.fill(2);
    queue.getSync();
    await waiting;
    queue.getSync();
    assert.deepEqual(queue.getSync(), Buffer.alloc(400, 1));
  });

  it('an item that can never fit is refused', async () => {
    const queue = new Queue<string>(0, { capacity: 1024 });
    await assert.rejects(queue.put('x'.repeat(600)), /at most 504 bytes/);
    assert.equal(queue.empty(), true);
  });

  it('closed here, shut down for all', async () => {
    await using host = scope.host();
    const queue = new Queue<number>();
    queue.putSync(1);
    queue.close();
    await assert.rejects(queue.put(2), ClosedError);
    await host.call(parties.put, [queue, 3]);
    const iterated: number[] = [];
    queue.shutdown();
    assert.equal(await host.call(parties.put, [queue, 4]), 'the queue is shut down');
    for await (const item of queue) iterated.push(item);
    assert.deepEqual(iterated, [1, 3]);
    assert.throws(() => queue.getSync(), ClosedError);
  });

  it('the last in is the first out, and the least', async () => {
    await using host = scope.host();
    const stack = new scope.LifoQueue<number>(3);
    const ranked = new scope.PriorityQueue<number | [number, string]>(0, { capacity: 2048 });
    for (const item of [1, 2, 3]) stack.putSync(item);
    assert.throws(() => stack.putNowait(4), FullError);
    assert.equal(await host.call(parties.work, [stack, 2]), 5);
    assert.equal(stack.getSync(), 1);
    for (const item of [5, [1, 'a'], 3, [1, 'b']] as const) await ranked.put(item as number);
    assert.deepEqual(await host.call(parties.takeAll, [ranked]), [[1, 'a'], [1, 'b'], 3, 5]);
    await assert.rejects(ranked.put('x' as never), /a number, or an array/);
    // Through many compactions, always the least, whatever its size.
    const expected: number[] = [];
    for (let i = 0; i < 300; i++) {
      const rank = (i * 7919) % 101;
      while (ranked.qsize() > 5) assert.equal((ranked.getSync() as [number, string])[0], expected.shift());
      ranked.putSync([rank, 'x'.repeat(i % 90)]);
      expected.push(rank);
      expected.sort((a, b) => a - b);
    }
  });

  it('join waits until all is done', async () => {
    await using host = scope.host();
    const queue = new Queue<number>();
    await queue.join();
    for (let i = 0; i < 10; i++) queue.putSync(i);
    await assert.rejects(queue.join({ timeout: 0.01 }), TimeoutError);
    const worked = host.call(parties.work, [queue, 10]);
    await queue.join();
    assert.equal(await worked, 45);
    assert.throws(() => queue.taskDone(), /more often/);
    queue.joinSync();
  });

  it('shared objects travel in a queue', async () => {
    await using host = scope.host();
    const queue = new Queue<unknown>();
    const event = new multiprocessing.Event();
    const lock = new multiprocessing.Lock();
    if (scope.name === 'threads') {
      await assert.rejects(queue.put(new threading.Lock()), /only passed as an argument: use multiprocessing\.Lock/);
    }
    const done = host.call(parties.useWhatComes, [queue]);
    await queue.put({ event, lock });
    await event.wait();
    await done;
    assert.equal(lock.locked(), true);
  });

  it('a pipe carries messages both ways and ends with its other end', async () => {
    await using host = scope.host();
    const [ours, theirs] = Pipe();
    const echo = host.call(parties.echo, [theirs]);
    theirs.close();
    await ours.send({ hello: [1, 2n] });
    assert.deepEqual(await ours.recv(), { hello: [1, 2n] });
    assert.equal(await ours.poll(), false);
    assert.equal(await ours.poll(0.01), false);
    ours.close();
    assert.equal(await echo, 1);
    await assert.rejects(ours.send(1), ClosedError);
  });

  it('an end whose process died is at its end', async () => {
    const host = scope.host();
    const [ours, theirs] = Pipe<number>();
    await host.call(parties.receive, [theirs]).catch(() => {});
    theirs.close();
    const waiting = assert.rejects(ours.recv(), ClosedError);
    await host.terminate();
    await waiting;
    await assert.rejects(ours.send(1), BrokenError);
    assert.throws(() => ours.sendSync(1), BrokenError);
  });

  it('one way: the first end receives, the second sends', async () => {
    const [reader, writer] = Pipe<number>(false);
    assert.deepEqual([reader.readable, reader.writable, writer.readable, writer.writable], [true, false, false, true]);
    writer.sendSync(1);
    assert.equal(await reader.poll(), true);
    assert.equal(reader.recvSync(), 1);
    await assert.rejects(reader.send(1), { code: 'SIMUL_UNSUPPORTED' });
    await assert.rejects(writer.recv(), { code: 'SIMUL_UNSUPPORTED' });
    writer.close();
    assert.throws(() => reader.recvSync(), ClosedError);
  });
}
