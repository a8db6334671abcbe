import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  allTasks,
  CancelledError,
  createTask,
  currentTask,
  gather,
  getRunningLoop,
  InvalidArgumentError,
  InvalidStateError,
  sleep,
  Task,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

describe('createTask', () => {
  it('does not start the function before the caller waits', () =>
    virtual(async () => {
      const log: string[] = [];
      const task = createTask(async () => void log.push('task'));
      log.push('caller');
      await task;
      assert.deepEqual(log, ['caller', 'task']);
    }));

  it('gives the result of an asynchronous, a plain and a promise-returning function', () =>
    virtual(async () => {
      assert.equal(await createTask(async () => 1), 1);
      assert.equal(await createTask(() => 2), 2);
      assert.equal(await createTask(() => Promise.resolve(3)), 3);
      assert.equal(await createTask(() => createTask(async () => 4)), 4);
    }));

  it('gives the failure of both kinds of function', () =>
    virtual(async () => {
      const boom = new Error('boom');
      await assert.rejects(async () => createTask(async () => Promise.reject(boom)), boom);
      await assert.rejects(
        async () =>
          createTask(() => {
            throw boom;
          }),
        boom,
      );
    }));

  it('names tasks in order unless told, and lets the name be changed', () =>
    virtual(async () => {
      const first = createTask(async () => {});
      const named = createTask(async () => {}, { name: 'nap' });
      assert.equal(first.name, 'Task-1');
      assert.equal(named.name, 'nap');
      named.name = 'rest';
      assert.equal(named.path, 'main/rest');
    }));

  it('starts tasks in the order in which they were created', () =>
    virtual(async () => {
      const log: number[] = [];
      for (let i = 0; i < 5; i++) createTask(async () => void log.push(i));
      await sleep(0);
      assert.deepEqual(log, [0, 1, 2, 3, 4]);
    }));
});

describe('bad input', () => {
  it('is refused by createTask with what would be right', () =>
    virtual(async () => {
      for (const fn of [undefined, null, 5, 'text', {}]) {
        assert.throws(() => createTask(fn as never), InvalidArgumentError);
      }
      assert.throws(() => createTask(Promise.resolve(1) as never), /a promise runs already: write \(\) => …/);
      assert.equal(allTasks().size, 1);
    }));

  it('is refused by sleep', () =>
    virtual(async () => {
      for (const seconds of [-1, NaN, '1', undefined])
        assert.throws(() => sleep(seconds as number), InvalidArgumentError);
      await assert.rejects(sleep(5, undefined, { signal: AbortSignal.abort() }), CancelledError);
    }));

  it('a rejected promise is a failure like another', () =>
    virtual(async () => {
      const boom = new Error('boom');
      await assert.rejects(async () => gather([Promise.reject(boom)]), boom);
      await assert.rejects(async () => createTask(() => Promise.reject(boom)), boom);
    }));
});

describe('currentTask and allTasks', () => {
  it('follow the task across every kind of await', () =>
    virtual(async () => {
      const main = currentTask();
      assert.equal(main?.name, 'main');
      const other = createTask(async () => {
        const self = currentTask();
        await Promise.resolve();
        assert.equal(currentTask(), self);
        await sleep(1);
        assert.equal(currentTask(), self);
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(currentTask(), self);
        await createTask(async () => {});
        assert.equal(currentTask(), self);
        return [self];
      });
      assert.equal(other.parent, main);
      assert.deepEqual(await other, [other]);
      assert.equal(currentTask(), main);
    }));

  it('is undefined in a callback of the loop and outside of tasks', async () => {
    assert.equal(currentTask(), undefined);
    await virtual(async () => {
      const seen = getRunningLoop().createFuture<unknown>();
      getRunningLoop().callSoon(() => seen.setResult(currentTask()));
      assert.equal(await seen, undefined);
    });
  });

  it('lists the tasks that are not done', () =>
    virtual(async () => {
      const nap = createTask(() => sleep(1), { name: 'nap' });
      assert.deepEqual(new Set([currentTask(), nap]), allTasks());
      await nap;
      assert.deepEqual(new Set([currentTask()]), allTasks());
    }));
});

describe('Task', () => {
  it('tells result and exception only when it is done', () =>
    virtual(async () => {
      const nap = createTask(() => sleep(1, 'rested'));
      assert.throws(() => nap.result(), InvalidStateError);
      assert.throws(() => nap.exception(), InvalidStateError);
      assert.equal(nap.done(), false);
      await nap;
      assert.equal(nap.done(), true);
      assert.equal(nap.result(), 'rested');
      assert.equal(nap.exception(), undefined);
      const boom = new Error('boom');
      const failed = createTask(() => Promise.reject(boom));
      await settled();
      assert.equal(failed.exception(), boom);
      assert.throws(() => failed.result(), boom);
    }));

  it('throws CancelledError from result and exception once cancelled', () =>
    virtual(async () => {
      const nap = createTask(() => sleep(1));
      nap.cancel('enough');
      await settled();
      assert.equal(nap.cancelled(), true);
      assert.throws(() => nap.result(), new CancelledError('enough'));
      assert.throws(() => nap.exception(), CancelledError);
    }));

  it('calls done callbacks once, with the task, also when it is done already', () =>
    virtual(async () => {
      const seen: unknown[] = [];
      const task = createTask(async () => 1);
      const gone = (): void => void seen.push('gone');
      task.addDoneCallback((done) => seen.push(done));
      task.addDoneCallback(gone);
      task.addDoneCallback(gone);
      assert.equal(task.removeDoneCallback(gone), 2);
      await task;
      await settled();
      task.addDoneCallback((done) => seen.push(done.result()));
      await settled();
      assert.deepEqual(seen, [task, 1]);
    }));

  it('does not let its result be set from outside', () =>
    virtual(async () => {
      const task = createTask(async () => 1);
      assert.throws(() => task.setResult(2), InvalidStateError);
      assert.throws(() => task.setException(new Error('no')), InvalidStateError);
      assert.equal(await task, 1);
    }));

  it('cannot await itself', () =>
    virtual(async () => {
      const task: Task<unknown> = createTask(async () => task as PromiseLike<unknown>);
      await assert.rejects(async () => task, InvalidStateError);
    }));

  it('has catch and finally as a promise has', () =>
    virtual(async () => {
      const log: string[] = [];
      const failed = createTask(() => Promise.reject(new Error('boom')));
      await failed.catch((error: unknown) => log.push((error as Error).message));
      await createTask(async () => 1).finally(() => log.push('finally'));
      assert.deepEqual(log, ['boom', 'finally']);
    }));
});
