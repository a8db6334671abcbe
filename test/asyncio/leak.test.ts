import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import {
  allTasks,
  Barrier,
  Condition,
  createTask,
  Event,
  gather,
  getRunningLoop,
  Lock,
  Queue,
  run,
  Semaphore,
  sleep,
  Task,
  timeout,
} from '../../src/entry/asyncio.ts';
import { VirtualClock } from '../../src/entry/testing.ts';

const count = 100_000;
const batch = 1000;

describe(`after ${count} tasks with timeouts and aborts`, () => {
  it('no task, timer or abort listener is left', async () => {
    const exits = process.listenerCount('beforeExit');
    const clock = new VirtualClock({ autoJump: true });
    const abort = new AbortController();
    const { signal } = abort;
    const lock = new Lock();
    const slots = new Semaphore(1);
    const condition = new Condition();
    const event = new Event();
    const barrier = new Barrier(2);
    const queue = new Queue<number>(1);
    const limits = { timeout: 5, signal };
    const waits: (() => Promise<unknown>)[] = [
      () => lock.acquire(limits),
      () => slots.acquire(limits),
      () => event.wait(limits),
      () => barrier.wait(limits),
      () => queue.put(1, limits),
      () => sleep(100, undefined, { signal }),
      () => timeout(3, () => event.wait(limits)),
      () => timeout(50, () => sleep(1)),
      () => condition.run(() => condition.wait({ timeout: 1 })),
    ];
    await run(
      async () => {
        await lock.acquire();
        await slots.acquire();
        await queue.put(0);
        for (let done = 0; done < count; done += batch) {
          const tasks = Array.from({ length: batch }, (_, i) => createTask<unknown>(waits[i % waits.length]!));
          await sleep(0.5);
          tasks.forEach((task, i) => i % 7 === 0 && task.cancel());
          await sleep(10);
          await endOf(tasks, waits.length);
        }
        assert.deepEqual(
          [...allTasks()].map((task) => task.name),
          ['main'],
        );
        assert.equal(barrier.nWaiting, 0);
      },
      { clock },
    );
    assert.equal(clock.pending, 0);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
    assert.equal(process.listenerCount('beforeExit'), exits);
  });

  it('no handle of real timers is left', async () => {
    await run(async () => {
      const before = timeouts();
      await gather(Array.from({ length: 10_000 }, () => () => timeout(60, () => sleep(0))));
      const naps = Array.from({ length: 10_000 }, () => createTask(() => sleep(60)));
      await sleep(0);
      for (const nap of naps) nap.cancel();
      await gather(naps, { returnExceptions: true });
      assert.equal(timeouts(), before);
      assert.equal(getRunningLoop().isRunning(), true);
    });
  });
});

// The sleeps of a hundred seconds are ended like the rest, so that each batch starts from nothing.
async function endOf(tasks: readonly Task<unknown>[], kinds: number): Promise<void> {
  tasks.forEach((task, i) => i % kinds === 5 && task.cancel());
  const results = await gather(tasks, { returnExceptions: true });
  assert.equal(results.length, tasks.length);
}

function timeouts(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
