import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { Outcome, WaitOptions } from '../../src/entry/asyncio.ts';
import {
  asCompleted,
  Condition,
  createTask,
  formatTaskTree,
  gather,
  getRunningLoop,
  InvalidArgumentError,
  Lock,
  openConnection,
  openUnixConnection,
  PriorityQueue,
  run,
  Runner,
  Semaphore,
  sleep,
  startServer,
  startUnixServer,
  StreamReader,
  StreamWriter,
  TaskGroup,
  wait,
} from '../../src/entry/asyncio.ts';
import { explore, VirtualClock } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

describe('streams', () => {
  it('refuse bad options before anything opens', () =>
    run(async () => {
      const bad: Record<string, unknown>[] = [
        { port: 70_000 },
        { port: 'abc' },
        { port: NaN },
        { host: 5 },
        { backlog: NaN },
        { limit: 0 },
      ];
      for (const options of bad) {
        await assert.rejects(
          startServer(() => {}, options),
          { argument: Object.keys(options)[0] },
        );
      }
      await assert.rejects(openConnection('localhost', 1, { limit: -1 }), { argument: 'limit' });
      await using server = await startServer(() => {});
      await assert.rejects(async () => server.waitClosed({ timeout: NaN }), InvalidArgumentError);
      assert.doesNotMatch(formatTaskTree(), /listening/);
    }));

  it('refuse bad reads and writes', () =>
    virtual(async () => {
      for (const timeout of [NaN, -1, '0.01' as never]) {
        const reader = new StreamReader();
        const calls = [
          () => reader.read(1, { timeout }),
          () => reader.read(-1, { timeout }),
          () => reader.readexactly(1, { timeout }),
          () => reader.readline({ timeout }),
          () => reader.readuntil('x', { timeout }),
        ];
        for (const call of calls) await assert.rejects(async () => call(), { argument: 'timeout' });
      }
      await assert.rejects(async () => new StreamReader().readuntil([]), { argument: 'separator' });
      await assert.rejects(async () => new StreamReader().readuntil(5 as never), { argument: 'separator' });
      assert.throws(() => new StreamWriter(new PassThrough()).writelines(5 as never), { argument: 'pieces' });
    }));
});

describe('locks and conditions', () => {
  it('refuse what is no function before they are taken', () =>
    virtual(async () => {
      const lock = new Lock();
      const slots = new Semaphore(1);
      const condition = new Condition();
      const calls = [
        () => lock.run(5 as never),
        () => slots.run(undefined as never),
        () => condition.run(undefined as never),
        () => condition.waitFor(5 as never),
      ];
      for (const call of calls) await assert.rejects(async () => call(), InvalidArgumentError);
      assert.deepEqual([lock.locked(), slots.locked(), condition.locked()], [false, false, false]);
    }));

  it('refuse a predicate that gives a promise, and a count that is none', () =>
    virtual(async () => {
      const condition = new Condition();
      await condition.acquire();
      const predicates = [async () => true, () => Promise.reject(new Error('nobody hears of this'))];
      for (const predicate of predicates) {
        await assert.rejects(condition.waitFor(predicate), { argument: 'predicate' });
      }
      for (const count of [NaN, -1, 1.5]) assert.throws(() => condition.notify(count), { argument: 'count' });
    }));

  it('take options of the exported type', () =>
    virtual(async () => {
      const options: WaitOptions = { timeout: 1 };
      const one: Outcome<() => Promise<true>> = (await gather([() => new Lock().acquire(options)]))[0];
      assert.equal(one, true);
    }));

  it('refuse a signal that is none', () =>
    virtual(async () => {
      const lock = new Lock();
      for (const signal of [5 as never, null as never, {} as never]) {
        await assert.rejects(async () => lock.acquire({ signal }), { argument: 'signal' });
      }
      await assert.rejects(async () => lock.acquire(5 as never), { argument: 'options' });
      assert.equal(lock.locked(), false);
    }));
});

describe('tasks', () => {
  it('refuse a name that is none, and a callback that is none', () =>
    virtual(async () => {
      assert.throws(() => createTask(() => 1, { name: 5 as never }), { argument: 'name' });
      assert.throws(
        () =>
          getRunningLoop()
            .createFuture()
            .addDoneCallback(5 as never),
        { argument: 'fn' },
      );
    }));

  it('do not start if one of several is refused', () =>
    virtual(async () => {
      let started = 0;
      const start = (): number => ++started;
      assert.throws(() => gather([start, 5 as never]), { argument: 'awaitables[1]' });
      assert.throws(() => asCompleted([start, 5 as never]), { argument: 'awaitables' });
      await sleep(1);
      assert.equal(started, 0);
    }));
});

describe('PriorityQueue', () => {
  it('refuses a comparison that is no function', () => {
    assert.throws(() => new PriorityQueue(0, 5 as never), { argument: 'compare' });
  });

  it('has not got an item whose comparison throws', () =>
    virtual(async () => {
      const compare = (a: number, b: number): number => {
        if (a < 0 || b < 0) throw new Error('no order');
        return a - b;
      };
      const queue = new PriorityQueue<number>(3, compare);
      for (const item of [1, 2]) queue.putNowait(item);
      assert.throws(() => queue.putNowait(-1), { message: 'no order' });
      queue.putNowait(3);
      const putting = createTask(() => queue.put(-2));
      await sleep(1);
      assert.equal(await queue.get(), 1);
      await assert.rejects(async () => putting, { message: 'no order' });
      assert.deepEqual([queue.getNowait(), queue.getNowait(), queue.empty()], [2, 3, true]);
      for (let i = 0; i < 3; i++) queue.taskDone();
      await queue.join();
    }));

  it('keeps the item whose comparison throws when it is to be taken', () =>
    virtual(async () => {
      let order = true;
      const queue = new PriorityQueue<number>(0, (a, b) => {
        if (!order) throw new Error('no order');
        return a - b;
      });
      for (const item of [5, 3, 1, 4, 2]) queue.putNowait(item);
      order = false;
      await assert.rejects(queue.get(), { message: 'no order' });
      assert.throws(() => queue.getNowait(), { message: 'no order' });
      order = true;
      assert.equal(queue.qsize(), 5);
      assert.deepEqual(
        Array.from({ length: 5 }, () => queue.getNowait()),
        [1, 2, 3, 4, 5],
      );
    }));
});

describe('options', () => {
  it('that are no object are refused everywhere', () =>
    virtual(async () => {
      const { loop, group } = { loop: getRunningLoop(), group: new TaskGroup() };
      const calls: Record<string, (options: never) => unknown> = {
        createTask: (options) => createTask(() => 1, options),
        'loop.createTask': (options) => loop.createTask(() => 1, options),
        'group.createTask': (options) => group.createTask(() => 1, options),
        gather: (options) => gather([() => 1], options),
        wait: (options) => wait([Promise.resolve()], options),
        asCompleted: (options) => asCompleted([() => 1], options),
        sleep: (options) => sleep(0, 1, options),
        StreamReader: (options) => new StreamReader(options),
        startServer: (options) => startServer(() => {}, options),
        startUnixServer: (options) => startUnixServer(() => {}, 'none', options),
        openConnection: (options) => openConnection('localhost', 1, options),
        openUnixConnection: (options) => openUnixConnection('none', options),
        'Lock.acquire': (options) => new Lock().acquire(options),
        'Condition.waitFor': (options) => new Condition().waitFor(() => true, options),
        explore: (options) => explore(async () => {}, options),
        VirtualClock: (options) => new VirtualClock(options),
      };
      for (const [name, call] of Object.entries(calls)) {
        for (const bad of [null, 5] as never[]) {
          await assert.rejects(async () => call(bad), { name: 'InvalidArgumentError', argument: 'options' }, name);
        }
      }
      await group.join();
    }));

  it('of a run that are no object are refused', async () => {
    for (const bad of [null, 5] as never[]) {
      assert.throws(() => new Runner(bad), { argument: 'options' });
      await assert.rejects(
        run(() => 1, bad),
        { argument: 'options' },
      );
      await using runner = new Runner();
      await assert.rejects(
        runner.run(() => 1, bad),
        { argument: 'options' },
      );
    }
  });
});
