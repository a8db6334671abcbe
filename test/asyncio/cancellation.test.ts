import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as nodeSleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { Report } from '../../src/entry/asyncio.ts';
import {
  CancelledError,
  createTask,
  currentTask,
  Event,
  getRunningLoop,
  Lock,
  Queue,
  sleep,
  Task,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

const cancelled = (error: unknown): boolean => error instanceof CancelledError;

async function cancelAndJoin(task: Task<unknown>, message?: string): Promise<void> {
  task.cancel(message);
  await assert.rejects(async () => task, CancelledError);
}

describe('Task.cancel', () => {
  it('is delivered where the task waits, and runs its finally blocks', () =>
    virtual(async () => {
      const log: string[] = [];
      const task = createTask(async () => {
        try {
          await sleep(10);
        } catch (error) {
          log.push((error as Error).message);
          throw error;
        } finally {
          await sleep(1);
          log.push('cleaned up');
        }
      });
      await settled();
      await cancelAndJoin(task, 'stop');
      assert.deepEqual(log, ['stop', 'cleaned up']);
      assert.equal(task.cancelled(), true);
    }));

  it('reaches every kind of waiting call', () =>
    virtual(async () => {
      const lock = new Lock();
      await lock.acquire();
      const waits = [
        () => sleep(100),
        () => lock.acquire(),
        () => new Event().wait(),
        () => new Queue().get(),
        () => getRunningLoop().createFuture(),
        async () => await createTask(() => sleep(100)),
        () => Promise.all([sleep(100), lock.acquire()]),
      ];
      for (const wait of waits) {
        const task = createTask<unknown>(wait);
        await settled();
        await cancelAndJoin(task);
        assert.equal(task.cancelled(), true, wait.toString());
      }
    }));

  it('does not run a task that has not started', () =>
    virtual(async () => {
      let ran = false;
      const task = createTask(async () => void (ran = true));
      await cancelAndJoin(task);
      assert.equal(ran, false);
    }));

  it('is delivered at the next waiting call if the task does not wait', () =>
    virtual(async () => {
      const log: string[] = [];
      const task = createTask(async () => {
        currentTask()!.cancel();
        log.push('goes on');
        await Promise.resolve();
        log.push('still');
        await sleep(1);
        log.push('never');
      });
      await assert.rejects(async () => task, CancelledError);
      assert.deepEqual(log, ['goes on', 'still']);
    }));

  it('is delivered once for each request: a task that swallows it goes on', () =>
    virtual(async () => {
      const task = createTask(async () => {
        await sleep(10).catch(() => {});
        await sleep(1);
        await new Event().wait({ timeout: 1 }).catch(() => {});
        return 'went on';
      });
      await settled();
      task.cancel();
      assert.equal(await task, 'went on');
      assert.equal(task.cancelled(), false);
      assert.equal(task.cancelling(), 1);
    }));

  it('merges requests made before the task could run', () =>
    virtual(async () => {
      let count = 0;
      const task = createTask(async () => {
        for (let i = 0; i < 3; i++) await sleep(1).catch(() => count++);
      });
      await settled();
      task.cancel();
      task.cancel();
      await task;
      assert.equal(count, 1);
      assert.equal(task.cancelling(), 2);
    }));

  it('cancels a task that is awaited, and the one that awaits it', () =>
    virtual(async () => {
      const inner = createTask(() => sleep(10));
      const outer = createTask(async () => await inner);
      await settled();
      await cancelAndJoin(outer, 'why');
      assert.equal(inner.cancelled(), true);
      assert.throws(() => inner.result(), new CancelledError('why'));
    }));

  it('is over when the awaited task swallows it', () =>
    virtual(async () => {
      const inner = createTask(() => sleep(10).catch(() => 'kept'));
      const outer = createTask(async () => await inner);
      await settled();
      outer.cancel();
      assert.equal(await outer, 'kept');
    }));

  it('is refused by a task that is done', () =>
    virtual(async () => {
      const task = createTask(async () => 1);
      await task;
      assert.equal(task.cancel(), false);
      assert.equal(task.cancelled(), false);
    }));

  it('counts as cancelled whatever CancelledError it ends with', () =>
    virtual(async () => {
      const task = createTask(async () => {
        throw new CancelledError('own');
      });
      await settled();
      assert.equal(task.cancelled(), true);
    }));
});

describe('uncancel', () => {
  it('takes requests back and with the last one what was not delivered', () =>
    virtual(async () => {
      const task = createTask(async () => {
        const self = currentTask()!;
        self.cancel();
        self.cancel();
        assert.equal(self.cancelling(), 2);
        assert.equal(self.uncancel(), 1);
        assert.equal(self.uncancel(), 0);
        assert.equal(self.uncancel(), 0);
        await sleep(1);
        return 'not cancelled';
      });
      assert.equal(await task, 'not cancelled');
    }));
});

describe('task.signal', () => {
  it('reaches code that is not of this library', () =>
    virtual(async () => {
      const task = createTask(async () => nodeSleep(60_000, undefined, { signal: currentTask()!.signal }));
      await settled();
      await cancelAndJoin(task);
      assert.equal(task.cancelled(), true);
    }));

  it('carries the CancelledError as its reason', () =>
    virtual(async () => {
      let reason: unknown;
      const task = createTask(async () => {
        const { signal } = currentTask()!;
        await once(signal, 'abort');
        reason = signal.reason;
      });
      await settled();
      task.cancel('because');
      await task;
      assert.deepEqual(reason, new CancelledError('because'));
    }));

  it('counts as delivery to whoever listens, so that clean-up can wait', () =>
    virtual(async () => {
      const log: unknown[] = [];
      const task = createTask(async () => {
        try {
          await nodeSleep(60_000, undefined, { signal: currentTask()!.signal });
        } finally {
          log.push(currentTask()!.signal.aborted);
          await sleep(1);
          log.push('cleaned up');
        }
      });
      await settled();
      await cancelAndJoin(task);
      assert.deepEqual(log, [false, 'cleaned up']);
    }));

  it('is aborted from the start while a request is undelivered', () =>
    virtual(async () => {
      const task = createTask(async () => {
        currentTask()!.cancel();
        return currentTask()!.signal.aborted;
      });
      assert.equal(await task, true);
    }));
});

describe('a foreign await that ignores its cancellation', () => {
  it('is reported by name after the grace period and detached', () =>
    virtual(
      async () => {
        const reports: Report[] = [];
        getRunningLoop().setExceptionHandler((_loop, report) => reports.push(report));
        let release!: () => void;
        let late: unknown;
        const stubborn = createTask(
          async () => {
            await new Promise<void>((resolve) => (release = resolve));
            late = await sleep(1).catch((error: unknown) => error);
          },
          { name: 'stubborn' },
        );
        await settled();
        const before = getRunningLoop().time();
        stubborn.cancel();
        await assert.rejects(async () => stubborn, cancelled);
        assert.equal(getRunningLoop().time() - before, 2);
        assert.match(reports[0]!.message, /'stubborn' has ignored its cancellation for 2 s/);
        release();
        await settled();
        assert.ok(cancelled(late), 'what it waits for later is cancelled');
      },
      { cancelGrace: 2 },
    ));

  it('is left alone if it comes to wait within the grace period', () =>
    virtual(async () => {
      const reports: Report[] = [];
      getRunningLoop().setExceptionHandler((_loop, report) => reports.push(report));
      const gate = getRunningLoop().createFuture<void>();
      const task = createTask(async () => {
        await new Promise<void>((resolve) => gate.addDoneCallback(() => resolve()));
        await sleep(1).catch(() => {});
        await sleep(100);
        return 'finished';
      });
      await settled();
      task.cancel();
      gate.setResult();
      assert.equal(await task, 'finished');
      assert.deepEqual(reports, []);
    }));
});
