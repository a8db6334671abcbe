import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ALL_COMPLETED,
  asCompleted,
  CancelledError,
  createTask,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  getRunningLoop,
  InvalidArgumentError,
  sleep,
  Task,
  TimeoutError,
  wait,
  waitFor,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

const boom = new Error('boom');
const nap = (seconds: number): Task<number> => createTask(() => sleep(seconds, seconds));
const fail = (seconds: number): Task<never> =>
  createTask(async () => {
    await sleep(seconds);
    throw boom;
  });

describe('wait', () => {
  it('waits for all by default, failures included', () =>
    virtual(async () => {
      const tasks = [nap(1), fail(2), nap(3)];
      const [done, pending] = await wait<Task<unknown>>(tasks);
      assert.deepEqual([...done], tasks);
      assert.equal(pending.size, 0);
      assert.equal(tasks[1]!.exception(), boom);
    }));

  it('returns with the first that is done, in mode FIRST_COMPLETED', () =>
    virtual(async () => {
      const [slow, fast] = [nap(5), nap(1)];
      const [done, pending] = await wait([slow, fast], { returnWhen: FIRST_COMPLETED });
      assert.deepEqual([...done], [fast]);
      assert.deepEqual([...pending], [slow]);
      assert.equal(getRunningLoop().time(), 1);
    }));

  it('returns with the first failure, in mode FIRST_EXCEPTION', () =>
    virtual(async () => {
      const tasks = [nap(1), fail(2), nap(9)];
      const [done, pending] = await wait<Task<unknown>>(tasks, { returnWhen: FIRST_EXCEPTION });
      assert.deepEqual([...done], tasks.slice(0, 2));
      assert.deepEqual([...pending], tasks.slice(2));
      assert.equal(tasks[1]!.exception(), boom);
    }));

  it('treats a cancelled task as no failure, in mode FIRST_EXCEPTION', () =>
    virtual(async () => {
      const tasks = [nap(5), nap(2)];
      tasks[0]!.cancel();
      await wait(tasks, { returnWhen: FIRST_EXCEPTION });
      assert.equal(getRunningLoop().time(), 2);
    }));

  it('returns at once when there is enough already', () =>
    virtual(async () => {
      const done = nap(0);
      await done;
      const slow = nap(5);
      const [finished] = await wait([done, slow], { returnWhen: FIRST_COMPLETED });
      assert.deepEqual([...finished], [done]);
      assert.equal(getRunningLoop().time(), 0);
    }));

  it('returns after the timeout without an error and without touching the tasks', () =>
    virtual(async () => {
      const slow = nap(5);
      const [done, pending] = await wait([slow], { timeout: 1, returnWhen: ALL_COMPLETED });
      assert.equal(done.size, 0);
      assert.deepEqual([...pending], [slow]);
      assert.equal(await slow, 5);
    }));

  it('leaves the tasks alone when the waiting task is cancelled', () =>
    virtual(async () => {
      const slow = nap(5);
      const waiter = createTask(() => wait([slow]));
      await settled();
      waiter.cancel();
      await assert.rejects(async () => waiter, CancelledError);
      assert.equal(await slow, 5);
    }));

  it('takes foreign promises', () =>
    virtual(async () => {
      const [yes, no] = [Promise.resolve(1), Promise.reject(boom)];
      const [done] = await wait<Promise<number>>([yes, no]);
      assert.deepEqual([...done], [yes, no]);
    }));

  it('refuses functions, nothing, and unknown modes', () =>
    virtual(async () => {
      await assert.rejects(wait([(() => {}) as never]), InvalidArgumentError);
      await assert.rejects(wait([]), InvalidArgumentError);
      await assert.rejects(wait(nap(0) as never), InvalidArgumentError);
      await assert.rejects(wait([nap(0)], { returnWhen: 'SOON' as never }), InvalidArgumentError);
      await assert.rejects(wait([nap(0)], { timeout: NaN }), InvalidArgumentError);
    }));
});

describe('asCompleted', () => {
  it('yields results in the order in which they come', () =>
    virtual(async () => {
      const order: number[] = [];
      for await (const result of asCompleted([nap(3), nap(1), nap(2)])) order.push(result);
      assert.deepEqual(order, [1, 2, 3]);
    }));

  it('as a plain iterable yields promises', () =>
    virtual(async () => {
      const order: number[] = [];
      for (const next of asCompleted([() => sleep(2, 2), () => sleep(1, 1)])) order.push(await next);
      assert.deepEqual(order, [1, 2]);
    }));

  it('gives each failure in its turn', () =>
    virtual(async () => {
      const seen: unknown[] = [];
      for (const next of asCompleted<Task<unknown>>([fail(1), nap(2)])) {
        seen.push(await next.catch((error: unknown) => error));
      }
      assert.deepEqual(seen, [boom, 2]);
      await assert.rejects(async () => {
        for await (const result of asCompleted<Task<number>>([fail(2), nap(1)])) seen.push(result);
      }, boom);
      assert.deepEqual(seen, [boom, 2, 1]);
    }));

  it('throws TimeoutError for those that are late and lets them go on', () =>
    virtual(async () => {
      const tasks = [nap(1), nap(5)];
      const order: number[] = [];
      await assert.rejects(async () => {
        for await (const result of asCompleted(tasks, { timeout: 2 })) order.push(result);
      }, TimeoutError);
      assert.deepEqual(order, [1]);
      assert.equal(await tasks[1], 5);
    }));
});

describe('waitFor', () => {
  it('gives the result in time', () =>
    virtual(async () => {
      assert.equal(await waitFor(() => sleep(1, 'ok'), 2), 'ok');
      assert.equal(await waitFor(nap(1), undefined), 1);
      assert.equal(await waitFor(Promise.resolve(3), 0.5), 3);
    }));

  it('cancels a task that is late, waits for its end and throws TimeoutError', () =>
    virtual(async () => {
      const log: string[] = [];
      const slow = createTask(async () => {
        try {
          await sleep(10);
        } finally {
          await sleep(1);
          log.push('ended');
        }
      });
      await assert.rejects(waitFor(slow, 2), TimeoutError);
      assert.deepEqual(log, ['ended']);
      assert.equal(getRunningLoop().time(), 3);
      assert.equal(slow.cancelled(), true);
    }));

  it('cancels what a function waits for', () =>
    virtual(async () => {
      await assert.rejects(
        waitFor(() => sleep(10), 2),
        TimeoutError,
      );
      assert.equal(getRunningLoop().time(), 2);
    }));

  it('lets a foreign promise go', () =>
    virtual(async () => {
      await assert.rejects(waitFor(new Promise(() => {}), 2), TimeoutError);
    }));

  it('is cancelled with its task, which cancels the awaited one', () =>
    virtual(async () => {
      const inner = nap(10);
      const outer = createTask(() => waitFor(inner, 20));
      await settled();
      outer.cancel();
      await assert.rejects(async () => outer, CancelledError);
      assert.equal(inner.cancelled(), true);
    }));

  it('refuses bad times and what cannot be awaited', () =>
    virtual(async () => {
      await assert.rejects(
        waitFor(async () => {}, -1),
        InvalidArgumentError,
      );
      await assert.rejects(
        waitFor(async () => {}, NaN),
        InvalidArgumentError,
      );
      await assert.rejects(waitFor(5 as never, 1), InvalidArgumentError);
    }));
});
