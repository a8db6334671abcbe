import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Report } from '../../src/entry/asyncio.ts';
import {
  asCompleted,
  ContextVar,
  createTask,
  formatTaskTree,
  getRunningLoop,
  run,
  Runner,
  sleep,
  Task,
  timeout,
  TimeoutError,
} from '../../src/entry/asyncio.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { virtual } from './virtual.ts';

describe('Runner', () => {
  it('keeps the values of context variables from run to run', async () => {
    const user = new ContextVar('user', 'nobody');
    await using runner = new Runner();
    await runner.run(() => void user.set('ada'));
    assert.equal(await runner.run(() => user.get()), 'ada');
    assert.equal(user.get(), 'nobody');
  });

  it('closes although the executor cannot end, and says so', async () => {
    const runner = new Runner();
    const seen: Report[] = [];
    runner.loop.setExceptionHandler((_loop, report) => seen.push(report));
    const shutdown = () => Promise.reject(new Error('stuck'));
    runner.loop.setDefaultExecutor({ submit: async (fn, ...args) => fn(...args), shutdown });
    await runner.run(async () => {
      createTask(() => Promise.reject(new Error('lost')));
      await sleep(0);
    });
    await assert.rejects(runner.close(), { message: 'stuck' });
    assert.equal(runner.loop.isClosed(), true);
    assert.deepEqual(
      seen.map(({ exception }) => (exception as Error).message),
      ['lost'],
    );
    assert.equal(formatTaskTree(), 'no tasks\n');
  });

  it('refuses a grace period that is none', async () => {
    for (const cancelGrace of [NaN, -1, 'x' as never]) {
      assert.throws(() => new Runner({ cancelGrace }), { argument: 'cancelGrace' });
    }
  });
});

describe('what was detached', () => {
  const failLate = (gate: Promise<void>) => async (): Promise<void> => {
    await gate;
    throw new Error('late');
  };

  it('is heard of if it fails after all', async () => {
    const seen: Report[] = [];
    await virtual(
      async () => {
        getRunningLoop().setExceptionHandler((_loop, report) => seen.push(report));
        let open!: () => void;
        const gate = new Promise<void>((resolve) => (open = resolve));
        const task = createTask(failLate(gate), { name: 'stubborn' });
        await sleep(0);
        task.cancel();
        await assert.rejects(async () => task);
        await assert.rejects(timeout(1, failLate(gate)), TimeoutError);
        open();
        await sleep(1);
      },
      { cancelGrace: 2 },
    );
    const late = seen.filter(({ exception }) => (exception as Error | undefined)?.message === 'late');
    assert.deepEqual(
      late.map(({ message, unhandled }) => [message, unhandled]),
      [
        ["Task 'stubborn' failed after it was detached", undefined],
        ["the body of a timeout or task group in 'main' failed after it was detached", undefined],
      ],
    );
  });
});

describe('Task.parent', () => {
  it('passes over what is done, so that a chain of tasks is not kept alive', () =>
    virtual(async () => {
      const seen: [string | undefined, string][] = [];
      const chain: Task<void>[] = [];
      const next = (left: number): void => {
        const task: Task<void> = createTask(
          async () => {
            await sleep(1);
            seen.push([task.parent?.name, task.path]);
            if (left > 0) next(left - 1);
            chain.push(task);
          },
          { name: `link-${left}` },
        );
      };
      next(3);
      await sleep(10);
      // Without the getter, which would look further only now.
      assert.deepEqual(
        chain.map((task) => Task.parentOf(task)?.name),
        ['main', 'main', 'main', 'main'],
      );
      assert.deepEqual(seen, [
        ['main', 'main/link-3'],
        ['main', 'main/link-2'],
        ['main', 'main/link-1'],
        ['main', 'main/link-0'],
      ]);
    }));

  it('is found without recursion, however deep', () =>
    virtual(async () => {
      const depth = 20_000;
      let deepest: Task<void> | undefined;
      const nest = (left: number): void => {
        const task = createTask(
          async () => {
            if (left > 0) nest(left - 1);
            else deepest = task;
            await sleep(1);
          },
          { name: 'd' },
        );
      };
      nest(depth);
      await sleep(0.5);
      assert.equal(deepest!.path.split('/').length, depth + 2);
    }));
});

describe('the timer of asCompleted', () => {
  const never = new Promise<never>(() => {});
  const timers = (clock: VirtualClock): boolean => clock.jump();

  it('goes with a failure, a break and the end of the run', async () => {
    const fail = (): never => {
      throw new Error('boom');
    };
    const clock = new VirtualClock();
    const uses: (() => Promise<void>)[] = [
      async () => {
        await assert.rejects(async () => {
          for await (const _ of asCompleted([never, fail], { timeout: 5 }));
        });
        assert.equal(timers(clock), false);
      },
      async () => {
        for await (const _ of asCompleted([never, () => 1], { timeout: 5 })) break;
        assert.equal(timers(clock), false);
      },
      async () => {
        for (const _ of asCompleted([never, () => 1], { timeout: 5 })) break;
        assert.equal(timers(clock), false);
      },
      async () => void asCompleted([never], { timeout: 5 }),
    ];
    for (const use of uses) await run(use, { clock });
    assert.equal(timers(clock), false);
  });
});
