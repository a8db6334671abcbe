import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CancelledError,
  createTask,
  EmptyError,
  FullError,
  gather,
  InvalidArgumentError,
  InvalidStateError,
  LifoQueue,
  PriorityQueue,
  Queue,
  QueueShutDown,
  sleep,
  TimeoutError,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

describe('Queue', () => {
  it('gives items in their order and blocks when full', () =>
    virtual(async () => {
      const queue = new Queue<number>(2);
      const log: string[] = [];
      const producer = createTask(async () => {
        for (let i = 0; i < 4; i++) {
          await queue.put(i);
          log.push(`put ${i}`);
        }
      });
      await settled();
      assert.deepEqual(log, ['put 0', 'put 1']);
      assert.deepEqual([queue.qsize(), queue.full(), queue.empty()], [2, true, false]);
      for (let i = 0; i < 4; i++) assert.equal(await queue.get(), i);
      await producer;
      assert.equal(queue.empty(), true);
    }));

  it('serves getters in the order of their coming', () =>
    virtual(async () => {
      const queue = new Queue<string>();
      const getters = [createTask(() => queue.get()), createTask(() => queue.get()), createTask(() => queue.get())];
      await settled();
      getters[1]!.cancel();
      queue.putNowait('a');
      queue.putNowait('b');
      assert.deepEqual(await gather([getters[0]!, getters[2]!]), ['a', 'b']);
    }));

  it('has non-waiting forms that throw FullError, with the item, and EmptyError', () => {
    const queue = new Queue<string>(1);
    queue.putNowait('a');
    assert.throws(
      () => queue.putNowait('b'),
      (error) => error instanceof FullError && error.item === 'b',
    );
    assert.equal(queue.getNowait(), 'a');
    assert.throws(() => queue.getNowait(), EmptyError);
  });

  it('keeps an item that was handed to a task as it is cancelled', () =>
    virtual(async () => {
      const queue = new Queue<string>();
      const got: string[] = [];
      const getter = createTask(async () => {
        got.push(await queue.get());
        await sleep(1);
      });
      await settled();
      queue.putNowait('a');
      getter.cancel();
      await assert.rejects(async () => getter, CancelledError);
      assert.deepEqual(got, ['a']);
    }));

  it('puts nothing for a putter that gave up', () =>
    virtual(async () => {
      const queue = new Queue<string>(1);
      queue.putNowait('a');
      await assert.rejects(queue.put('late', { timeout: 1 }), TimeoutError);
      const putter = createTask(() => queue.put('cancelled'));
      await settled();
      putter.cancel();
      await settled();
      assert.equal(queue.getNowait(), 'a');
      assert.equal(queue.empty(), true);
    }));

  it('joins when every item was reported done', () =>
    virtual(async () => {
      const queue = new Queue<number>();
      await queue.join();
      for (let i = 0; i < 3; i++) queue.putNowait(i);
      const joined = createTask(() => queue.join());
      for (let i = 0; i < 3; i++) {
        assert.equal(joined.done(), false);
        await queue.get();
        queue.taskDone();
        await settled();
      }
      assert.equal(joined.done(), true);
      assert.throws(() => queue.taskDone(), new InvalidStateError('taskDone() called too many times'));
      await joined;
    }));

  it('refuses bad sizes', () => {
    for (const size of [-1, 1.5, NaN]) assert.throws(() => new Queue(size), InvalidArgumentError);
    assert.equal(new Queue(Infinity).maxsize, 0);
  });
});

describe('Queue.shutdown', () => {
  it('refuses items, gives out what is there, then ends getters', () =>
    virtual(async () => {
      const queue = new Queue<number>();
      queue.putNowait(1);
      queue.shutdown();
      assert.throws(() => queue.putNowait(2), QueueShutDown);
      await assert.rejects(queue.put(2), QueueShutDown);
      assert.equal(await queue.get(), 1);
      await assert.rejects(queue.get(), QueueShutDown);
      assert.throws(() => queue.getNowait(), QueueShutDown);
      queue.taskDone();
      await queue.join();
    }));

  it('ends who waits to get or to put', () =>
    virtual(async () => {
      const [empty, full] = [new Queue<number>(), new Queue<number>(1)];
      full.putNowait(1);
      const waiters = [createTask(() => empty.get()), createTask(() => full.put(2))];
      await settled();
      empty.shutdown();
      full.shutdown();
      const results = await gather<PromiseLike<unknown>[]>(waiters, { returnExceptions: true });
      assert.ok(results.every((result) => result instanceof QueueShutDown));
      assert.equal(full.qsize(), 1);
    }));

  it('drops what is there when immediate, and lets join go', () =>
    virtual(async () => {
      const queue = new Queue<number>();
      queue.putNowait(1);
      queue.putNowait(2);
      const joined = createTask(() => queue.join());
      await settled();
      queue.shutdown(true);
      await joined;
      await assert.rejects(queue.get(), QueueShutDown);
    }));

  it('ends iteration once the queue is empty', () =>
    virtual(async () => {
      const queue = new Queue<number>();
      const seen: number[] = [];
      const reader = createTask(async () => {
        for await (const item of queue) seen.push(item);
      });
      for (let i = 0; i < 3; i++) await queue.put(i);
      queue.shutdown();
      await reader;
      assert.deepEqual(seen, [0, 1, 2]);
    }));
});

describe('LifoQueue and PriorityQueue', () => {
  it('give the latest and the least first', () => {
    const [lifo, priority] = [new LifoQueue<number>(), new PriorityQueue<number>()];
    for (const item of [2, 3, 1]) {
      lifo.putNowait(item);
      priority.putNowait(item);
    }
    assert.deepEqual([lifo.getNowait(), lifo.getNowait(), lifo.getNowait()], [1, 3, 2]);
    assert.deepEqual([priority.getNowait(), priority.getNowait(), priority.getNowait()], [1, 2, 3]);
  });

  it('order arrays by their elements, equal ones by arrival, and others by a given function', () => {
    const pairs = new PriorityQueue<[number, string]>();
    for (const item of [
      [1, 'b'],
      [0, 'z'],
      [1, 'a'],
    ] as [number, string][])
      pairs.putNowait(item);
    assert.deepEqual(
      [pairs.getNowait(), pairs.getNowait(), pairs.getNowait()],
      [
        [0, 'z'],
        [1, 'a'],
        [1, 'b'],
      ],
    );
    const jobs = new PriorityQueue<{ at: number; id: string }>(0, (a, b) => a.at - b.at);
    for (const id of ['first', 'second']) jobs.putNowait({ at: 1, id });
    jobs.putNowait({ at: 0, id: 'soon' });
    assert.deepEqual([jobs.getNowait().id, jobs.getNowait().id, jobs.getNowait().id], ['soon', 'first', 'second']);
  });

  it('refuse what has no order, before anything has changed', () => {
    const queue = new PriorityQueue<unknown>();
    for (const item of [{}, NaN, undefined, [Symbol('x')]]) {
      assert.throws(() => queue.putNowait(item), InvalidArgumentError);
      assert.throws(() => void queue.put(item), InvalidArgumentError);
    }
    assert.equal(queue.empty(), true);
  });

  it('hand the least item over when somebody waits', () =>
    virtual(async () => {
      const queue = new PriorityQueue<number>(1);
      queue.putNowait(5);
      const putters = [createTask(() => queue.put(1)), createTask(() => queue.put(3))];
      await settled();
      assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], [5, 1, 3]);
      await gather(putters);
    }));
});
