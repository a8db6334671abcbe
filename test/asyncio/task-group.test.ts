import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CancelledError,
  createTask,
  currentTask,
  getRunningLoop,
  InvalidArgumentError,
  InvalidStateError,
  sleep,
  Task,
  TaskGroup,
  TaskGroupError,
  timeout,
  TimeoutError,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

const fail = (seconds: number, message: string) => async (): Promise<never> => {
  await sleep(seconds);
  throw new Error(message);
};

const groupOf =
  (...messages: string[]) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof TaskGroupError && error instanceof AggregateError, String(error));
    assert.deepEqual(
      error.errors.map((each: Error) => each.message),
      messages,
    );
    return true;
  };

describe('TaskGroup.run', () => {
  it('waits for its tasks and gives what the body gives', () =>
    virtual(async () => {
      const tasks = await TaskGroup.run((group) => [
        group.createTask(() => sleep(3, 'a')),
        group.createTask(() => sleep(1, 'b')),
      ]);
      assert.equal(getRunningLoop().time(), 3);
      assert.deepEqual(
        tasks.map((task) => task.result()),
        ['a', 'b'],
      );
    }));

  it('cancels siblings and the body when one fails, and reports all failures with their paths', () =>
    virtual(async () => {
      const log: string[] = [];
      const run = TaskGroup.run(async (group) => {
        group.createTask(fail(1, 'first'), { name: 'one' });
        group.createTask(
          async () => {
            try {
              await sleep(100);
            } catch {
              throw new Error('while cleaning up');
            }
          },
          { name: 'two' },
        );
        const quiet = group.createTask(() => sleep(100), { name: 'three' });
        quiet.addDoneCallback((task) => log.push(`three cancelled: ${task.cancelled()}`));
        await sleep(100).finally(() => log.push('body cancelled'));
      });
      await assert.rejects(run, (error) => {
        groupOf('first', 'while cleaning up')(error);
        assert.deepEqual((error as TaskGroupError).paths, ['main/one', 'main/two']);
        assert.match(
          (error as Error).message,
          /unhandled errors in a TaskGroup \(2 sub-exceptions\)\n {2}main\/one: first/,
        );
        return true;
      });
      assert.deepEqual(log.sort(), ['body cancelled', 'three cancelled: true']);
      assert.equal(getRunningLoop().time(), 1);
      assert.equal(currentTask()!.cancelling(), 0);
    }));

  it('takes the failure of the body as one among others, and cancels the tasks', () =>
    virtual(async () => {
      let child!: Task<unknown>;
      const run = TaskGroup.run(async (group) => {
        child = group.createTask(() => sleep(100));
        await sleep(1);
        throw new Error('body');
      });
      await assert.rejects(run, groupOf('body'));
      assert.equal(child.cancelled(), true);
    }));

  it('does not count a cancelled child as a failure', () =>
    virtual(async () => {
      await TaskGroup.run(async (group) => {
        const child = group.createTask(() => sleep(100));
        await sleep(1);
        child.cancel();
      });
      assert.equal(getRunningLoop().time(), 1);
    }));

  it('is cancelled from outside with all its tasks, in the body and while it joins', () =>
    virtual(async () => {
      for (const inBody of [true, false]) {
        let child!: Task<unknown>;
        const outer = createTask(() =>
          TaskGroup.run(async (group) => {
            child = group.createTask(() => sleep(100));
            if (inBody) await sleep(100);
          }),
        );
        await settled();
        outer.cancel('outside');
        await assert.rejects(async () => outer, new CancelledError('outside'));
        assert.equal(child.cancelled(), true);
        assert.equal(outer.cancelled(), true);
      }
    }));

  it('prefers failures to a cancellation from outside, which comes again at the next wait', () =>
    virtual(async () => {
      const log: string[] = [];
      const outer = createTask(async () => {
        const run = TaskGroup.run(async (group) => {
          group.createTask(async () => {
            try {
              await sleep(100);
            } catch {
              throw new Error('on the way out');
            }
          });
          await sleep(100);
        });
        await run.catch((error: unknown) => log.push((error as Error).name));
        await sleep(1).catch((error: unknown) => log.push((error as Error).name));
      });
      await settled();
      outer.cancel();
      await outer;
      assert.deepEqual(log, ['TaskGroupError', 'CancelledError']);
    }));

  it('nests', () =>
    virtual(async () => {
      const run = TaskGroup.run(async (outer) => {
        outer.createTask(() => TaskGroup.run((inner) => void inner.createTask(fail(1, 'deep'), { name: 'leaf' })), {
          name: 'branch',
        });
        await sleep(100);
      });
      await assert.rejects(run, (error) => {
        assert.ok(error instanceof TaskGroupError);
        assert.deepEqual(error.paths, ['main/branch']);
        return groupOf('deep')(error.errors[0]) && error.errors[0].paths[0] === 'main/branch/leaf';
      });
    }));

  it('lets children add to the group while it joins', () =>
    virtual(async () => {
      const log: string[] = [];
      await TaskGroup.run((group) => {
        group.createTask(async () => {
          await sleep(1);
          group.createTask(async () => {
            await sleep(1);
            log.push('grandchild');
          });
        });
      });
      assert.deepEqual(log, ['grandchild']);
    }));

  it('is closed to tasks once it has finished or is shutting down', () =>
    virtual(async () => {
      let kept!: TaskGroup;
      await TaskGroup.run((group) => void (kept = group));
      assert.throws(() => kept.createTask(async () => {}), new InvalidStateError('TaskGroup is finished'));
      await assert.rejects(
        TaskGroup.run(async (group) => {
          group.createTask(fail(1, 'boom'));
          await sleep(100).catch(() => {});
          group.createTask(async () => {});
        }),
        groupOf('boom', 'TaskGroup is shutting down'),
      );
    }));

  it('ends by a timeout around it', () =>
    virtual(async () => {
      const run = timeout(2, () => TaskGroup.run((group) => void group.createTask(() => sleep(100))));
      await assert.rejects(run, TimeoutError);
    }));

  it('waits for a stubborn child no longer than the grace period', () =>
    virtual(
      async () => {
        const reports: string[] = [];
        getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
        const run = TaskGroup.run(async (group) => {
          group.createTask(() => new Promise(() => {}), { name: 'stubborn' });
          group.createTask(fail(1, 'boom'));
        });
        await assert.rejects(run, groupOf('boom'));
        assert.match(reports[0]!, /'stubborn'/);
      },
      { cancelGrace: 1 },
    ));

  it('works outside of tasks', async () => {
    assert.equal(await TaskGroup.run(async (group) => await group.createTask(async () => 7)), 7);
  });

  it('refuses what is no function', () =>
    virtual(async () => {
      await assert.rejects(TaskGroup.run(undefined as never), InvalidArgumentError);
      await TaskGroup.run((group) => {
        assert.throws(() => group.createTask(Promise.resolve() as never), InvalidArgumentError);
        assert.throws(() => group.createTask(undefined as never), InvalidArgumentError);
      });
    }));
});

describe('await using a TaskGroup', () => {
  it('joins at the end of the body', () =>
    virtual(async () => {
      const log: string[] = [];
      {
        await using group = new TaskGroup();
        group.createTask(async () => {
          await sleep(2);
          log.push('child');
        });
        await group.join();
        log.push('joined');
      }
      assert.deepEqual(log, ['child', 'joined']);
    }));

  it('cancels the tasks when the body leaves without join', () =>
    virtual(async () => {
      let child!: Task<unknown>;
      const boom = new Error('body');
      const body = async (): Promise<void> => {
        await using group = new TaskGroup();
        child = group.createTask(() => sleep(100));
        await sleep(1);
        throw boom;
      };
      await assert.rejects(body(), boom);
      assert.equal(child.cancelled(), true);
      assert.equal(getRunningLoop().time(), 1);
    }));

  it('cancels the body when a child fails, and throws the failures from join', () =>
    virtual(async () => {
      const body = async (): Promise<void> => {
        await using group = new TaskGroup();
        group.createTask(fail(1, 'boom'));
        await sleep(100).catch(() => {});
        await group.join();
      };
      await assert.rejects(body(), groupOf('boom'));
      assert.equal(currentTask()!.cancelling(), 0);
      await sleep(1);
    }));

  it('joins once, in its own way', () =>
    virtual(async () => {
      await using group = new TaskGroup();
      await group.join();
      await assert.rejects(group.join(), InvalidStateError);
      await assert.rejects(
        TaskGroup.run((own) => own.join()),
        groupOf('TaskGroup.run joins by itself when the body ends'),
      );
    }));

  it('needs a task around it', () => {
    assert.throws(() => new TaskGroup(), InvalidStateError);
  });
});
