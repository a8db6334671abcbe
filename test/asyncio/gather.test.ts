import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CancelledError,
  createTask,
  gather,
  getRunningLoop,
  InvalidArgumentError,
  shield,
  sleep,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

const boom = new Error('boom');
const fail = async (seconds: number): Promise<never> => {
  await sleep(seconds);
  throw boom;
};

describe('gather', () => {
  it('runs functions, tasks, futures and promises together and keeps their order', () =>
    virtual(async () => {
      const future = getRunningLoop().createFuture<string>();
      getRunningLoop().callLater(2, () => future.setResult('future'));
      const results = await gather([
        () => sleep(3, 'function'),
        createTask(() => sleep(1, 'task')),
        future,
        Promise.resolve('promise'),
      ]);
      assert.deepEqual(results, ['function', 'task', 'future', 'promise']);
      assert.equal(getRunningLoop().time(), 3);
    }));

  it('of nothing gives nothing', () => virtual(async () => assert.deepEqual(await gather([]), [])));

  it('throws the first failure at once and lets the others go on', () =>
    virtual(async () => {
      const other = createTask(() => sleep(5, 'went on'));
      await assert.rejects(async () => gather([() => fail(1), other, () => fail(2)]), boom);
      assert.equal(getRunningLoop().time(), 1);
      assert.equal(await other, 'went on');
    }));

  it('with returnExceptions gives failures and cancellations as results', () =>
    virtual(async () => {
      const cancelled = createTask(() => sleep(5));
      getRunningLoop().callLater(1, () => cancelled.cancel('no'));
      const results = await gather([() => fail(1), () => sleep(2, 'ok'), cancelled], { returnExceptions: true });
      assert.deepEqual(results, [boom, 'ok', new CancelledError('no')]);
    }));

  it('cancels all its children when the outer side is cancelled', () =>
    virtual(async () => {
      const children = [createTask(() => sleep(5)), createTask(() => sleep(5))];
      const outer = createTask(async () => await gather(children));
      await settled();
      outer.cancel();
      await assert.rejects(async () => outer, CancelledError);
      assert.deepEqual(
        children.map((child) => child.cancelled()),
        [true, true],
      );
    }));

  it('is itself a future that can be cancelled', () =>
    virtual(async () => {
      const child = createTask(() => sleep(5));
      const all = gather([child], { returnExceptions: true });
      await settled();
      assert.equal(all.cancel(), true);
      await assert.rejects(async () => all, CancelledError);
      assert.equal(child.cancelled(), true);
    }));

  it('throws CancelledError when a child is cancelled, and is not cancelled itself', () =>
    virtual(async () => {
      const child = createTask(() => sleep(5));
      const other = createTask(() => sleep(5, 'untouched'));
      const all = gather([child, other]);
      await settled();
      child.cancel();
      await assert.rejects(async () => all, CancelledError);
      assert.equal(all.cancelled(), false);
      assert.equal(await other, 'untouched');
    }));

  it('takes the same task twice', () =>
    virtual(async () => {
      const task = createTask(async () => 1);
      assert.deepEqual(await gather([task, task]), [1, 1]);
    }));

  it('refuses what cannot be awaited', () =>
    virtual(async () => {
      assert.throws(
        () => gather([1 as never]),
        new InvalidArgumentError('awaitables[0]', 1, 'a function, a task, a future or a promise'),
      );
      assert.throws(() => gather(undefined as never), InvalidArgumentError);
    }));
});

describe('shield', () => {
  it('lets the inner work go on when the outer side is cancelled', () =>
    virtual(async () => {
      const inner = createTask(() => sleep(5, 'done'));
      const outer = createTask(async () => await shield(inner));
      await settled();
      outer.cancel();
      await assert.rejects(async () => outer, CancelledError);
      assert.equal(inner.cancelled(), false);
      assert.equal(await inner, 'done');
    }));

  it('passes on result, failure and the cancellation of the inner work', () =>
    virtual(async () => {
      assert.equal(await shield(async () => 1), 1);
      await assert.rejects(async () => shield(() => fail(1)), boom);
      const inner = createTask(() => sleep(5));
      const outer = shield(inner);
      inner.cancel();
      await assert.rejects(async () => outer, CancelledError);
      assert.equal(outer.cancelled(), true);
      assert.equal(await shield(Promise.resolve(2)), 2);
    }));

  it('reports a failure that comes after the outer side was cancelled at the end, if nobody has looked', async () => {
    const seen: unknown[] = [];
    await virtual(async () => {
      getRunningLoop().setExceptionHandler((_loop, { message, exception }) => seen.push(message, exception));
      const looked = createTask(() => fail(1));
      for (const inner of [createTask(() => fail(1), { name: 'inner' }), looked]) shield(inner).cancel();
      await sleep(2);
      assert.equal(looked.exception(), boom);
      assert.deepEqual(seen, []);
    });
    assert.deepEqual(seen, ["Task 'inner' exception was never retrieved", boom]);
  });
});
