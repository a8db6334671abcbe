import assert from 'node:assert/strict';
import { setTimeout as nodeSleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { Timeout } from '../../src/entry/asyncio.ts';
import {
  CancelledError,
  createTask,
  currentTask,
  gather,
  getRunningLoop,
  InvalidArgumentError,
  InvalidStateError,
  Lock,
  sleep,
  timeout,
  timeoutAt,
  TimeoutError,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

const now = (): number => getRunningLoop().time();

describe('timeout', () => {
  it('gives what the body gives, in time', () =>
    virtual(async () => {
      assert.equal(await timeout(2, () => sleep(1, 'ok')), 'ok');
      assert.equal(await timeout(undefined, () => sleep(100, 'ever')), 'ever');
      assert.equal(await timeout(1, () => 'plain'), 'plain');
    }));

  it('cancels the body and throws TimeoutError', () =>
    virtual(async () => {
      const log: string[] = [];
      const body = async (): Promise<void> => {
        try {
          await sleep(10);
        } catch (error) {
          log.push((error as Error).name, String(currentTask()!.cancelling()));
          throw error;
        }
      };
      await assert.rejects(timeout(2, body), (error) => error instanceof TimeoutError && error.timeout === 2);
      assert.deepEqual(log, ['CancelledError', '1']);
      assert.equal(currentTask()!.cancelling(), 0);
      assert.equal(now(), 2);
    }));

  it('leaves the task fit to wait again', () =>
    virtual(async () => {
      await assert.rejects(timeout(1, () => sleep(10)));
      await sleep(5);
      assert.equal(now(), 6);
    }));

  it('expires at the first wait when it is zero', () =>
    virtual(async () => {
      let begun = false;
      const body = async (): Promise<void> => {
        begun = true;
        await sleep(1);
      };
      await assert.rejects(timeout(0, body), TimeoutError);
      assert.ok(begun);
      assert.equal(now(), 0);
    }));

  it('hands its signal to foreign code and takes its AbortError as the end', () =>
    virtual(async () => {
      await assert.rejects(
        timeout(1, async (signal) => nodeSleep(60_000, undefined, { signal })),
        TimeoutError,
      );
    }));

  it('nests: the inner one ends alone', () =>
    virtual(async () => {
      const outer = timeout(10, async () => {
        await assert.rejects(
          timeout(1, () => sleep(5)),
          TimeoutError,
        );
        await sleep(2);
        return now();
      });
      assert.equal(await outer, 3);
    }));

  it('nests: the outer one passes through the inner as a cancellation', () =>
    virtual(async () => {
      let inner: unknown;
      const body = async (): Promise<void> => {
        try {
          await timeout(5, () => sleep(10));
        } catch (error) {
          inner = error;
          throw error;
        }
      };
      await assert.rejects(timeout(1, body), TimeoutError);
      assert.ok(inner instanceof CancelledError);
    }));

  it('does not turn a cancellation from outside into a TimeoutError', () =>
    virtual(async () => {
      const task = createTask(() => timeout(5, () => sleep(10)));
      await sleep(1);
      task.cancel('outside');
      await assert.rejects(async () => task, new CancelledError('outside'));
      assert.equal(task.cancelled(), true);
    }));

  it('lets the outer cancellation win when both come together', () =>
    virtual(async () => {
      const task = createTask(() =>
        timeout(1, async () => {
          try {
            await sleep(10);
          } finally {
            await sleep(5).catch(() => {});
          }
        }),
      );
      await sleep(2);
      task.cancel();
      await assert.rejects(async () => task, CancelledError);
    }));

  it('believes a body that ends well, or with another error, after its time', () =>
    virtual(async () => {
      assert.equal(await timeout(1, () => sleep(5).catch(() => 'swallowed')), 'swallowed');
      const boom = new Error('boom');
      const body = async (): Promise<void> => {
        await sleep(5).catch(() => {});
        throw boom;
      };
      await assert.rejects(timeout(1, body), boom);
      assert.equal(currentTask()!.cancelling(), 0);
    }));

  it('does not leave its request behind when the body never waited', () =>
    virtual(async () => {
      const clock = getRunningLoop();
      await timeout(0, async () => {
        await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
      });
      await sleep(1);
      assert.equal(clock.time(), 1);
    }));

  it('ends each of two bodies that run side by side in one task', () =>
    virtual(async () => {
      const results = await Promise.allSettled([timeout(1, () => sleep(5)), timeout(2, () => sleep(5)), sleep(3)]);
      assert.deepEqual(
        results.map((result) => (result.status === 'rejected' ? (result.reason as Error).name : 'ok')),
        ['TimeoutError', 'TimeoutError', 'ok'],
      );
    }));

  it('can be asked and moved by its body', () =>
    virtual(async () => {
      const body = async (_signal: AbortSignal, scope: Timeout): Promise<void> => {
        assert.equal(scope.when(), 1);
        scope.reschedule(now() + 3);
        await sleep(2);
        assert.equal(scope.expired(), false);
        scope.reschedule(undefined);
        await sleep(100);
        scope.reschedule(now() - 1);
        await sleep(1);
      };
      await assert.rejects(timeout(1, body), TimeoutError);
      assert.equal(now(), 102);
    }));

  it('cannot be moved once it is over', () =>
    virtual(async () => {
      let kept!: Timeout;
      await timeout(5, (_signal, scope) => void (kept = scope));
      assert.throws(() => kept.reschedule(9), new InvalidStateError('Cannot change state of finished Timeout'));
    }));

  it('never loses a lock that is handed over at the moment it expires', () =>
    virtual(async () => {
      const lock = new Lock();
      await lock.acquire();
      const waiter = createTask(() => timeout(1, () => lock.acquire()));
      getRunningLoop().callLater(1, () => lock.release());
      const result = await waiter.catch(() => 'timed out');
      assert.equal(lock.locked(), result === true);
    }));

  it('reports and detaches a body that ignores its signal', () =>
    virtual(
      async () => {
        const reports: string[] = [];
        getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
        await assert.rejects(
          timeout(1, () => new Promise(() => {})),
          TimeoutError,
        );
        assert.equal(now(), 3);
        assert.match(reports.join(), /'main' has ignored its cancellation for 2 s/);
      },
      { cancelGrace: 2 },
    ));

  it('works outside of tasks', async () => {
    assert.equal(await timeout(5, async () => currentTask()?.name), 'timeout');
    await assert.rejects(
      timeout(0, () => sleep(5)),
      TimeoutError,
    );
  });

  it('takes an absolute time, also a past one', () =>
    virtual(async () => {
      await assert.rejects(
        timeoutAt(now() + 2, () => sleep(5)),
        TimeoutError,
      );
      assert.equal(now(), 2);
      await assert.rejects(
        timeoutAt(now() - 2, () => sleep(5)),
        TimeoutError,
      );
      assert.equal(now(), 2);
      assert.equal(await timeoutAt(undefined, () => 1), 1);
    }));

  it('refuses bad times and what is no function', () =>
    virtual(async () => {
      await assert.rejects(
        timeout(-1, () => {}),
        InvalidArgumentError,
      );
      await assert.rejects(
        timeout(NaN, () => {}),
        InvalidArgumentError,
      );
      await assert.rejects(
        timeoutAt(NaN, () => {}),
        InvalidArgumentError,
      );
      await assert.rejects(timeout(1, Promise.resolve() as never), InvalidArgumentError);
      await settled();
    }));

  it('ends everything gathered in it', () =>
    virtual(async () => {
      const tasks = [createTask(() => sleep(5)), createTask(() => sleep(6))];
      await assert.rejects(
        timeout(1, async () => await gather(tasks)),
        TimeoutError,
      );
      assert.deepEqual(
        tasks.map((task) => task.cancelled()),
        [true, true],
      );
    }));
});
