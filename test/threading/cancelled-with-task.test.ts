import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import type { WaitOptions } from '../../src/entry/asyncio.ts';
import { createTask, formatTaskTree, getRunningLoop, run, sleep } from '../../src/entry/asyncio.ts';
import * as futures from '../../src/entry/futures.ts';
import * as multiprocessing from '../../src/entry/multiprocessing.ts';
import * as threading from '../../src/entry/threading.ts';

const skip = process.platform !== 'linux' && 'Linux only';

/** What both modules have: one wait of each, which nothing ends. */
async function waitsOf({ Lock, Queue, Event, Semaphore, Condition, Barrier }: typeof threading) {
  const lock = new Lock();
  await lock.acquire();
  const condition = new Condition();
  const full = new Queue<number>(1);
  await full.put(1);
  const waits: Record<string, (options: WaitOptions) => Promise<unknown>> = {
    'Lock.acquire': (options) => lock.acquire(options),
    'Lock.run': (options) => lock.run(() => {}, options),
    'Queue.get': (options) => new Queue().get(options),
    'Queue.put': (options) => full.put(2, options),
    'Event.wait': (options) => new Event().wait(options),
    'Semaphore.acquire': (options) => new Semaphore(0).acquire(options),
    'Barrier.wait': (options) => new Barrier(2).wait(options),
    'Condition.wait': async (options) => {
      await condition.acquire();
      try {
        await condition.wait(options);
      } finally {
        condition.release(); // throws unless it is held again
      }
    },
  };
  return waits;
}

for (const [name, module] of Object.entries({ threading, multiprocessing: multiprocessing as never })) {
  describe(`the waits of ${name} end with the task that waits`, { skip }, () => {
    for (const given of [false, true]) {
      test(given ? 'also where they were given a signal' : 'by themselves', async () => {
        const waits = await waitsOf(module);
        const { signal } = new AbortController();
        await run(async () => {
          const reports: string[] = [];
          getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
          for (const [what, wait] of Object.entries(waits)) {
            const task = createTask(() => wait(given ? { signal, timeout: 60 } : {}));
            await sleep(0.01);
            assert.equal(task.done(), false, what);
            assert.doesNotMatch(formatTaskTree(), /Task-\d+ .* waits for something outside/, what);
            task.cancel();
            await assert.rejects(async () => task, { name: 'CancelledError' }, what);
          }
          assert.deepEqual(reports, []);
          assert.equal(getEventListeners(signal, 'abort').length, 0);
        });
      });
    }
  });
}

test('join, accept and the waits for futures end with the task too', { skip }, async () => {
  const thread = new threading.Thread(() => new Promise<void>((resolve) => setTimeout(resolve, 60_000)), []);
  thread.start();
  const listener = await multiprocessing.Listener.open();
  const pool = new futures.ThreadPoolExecutor({ maxWorkers: 1 });
  const call = pool.submit(() => new Promise<void>((resolve) => setTimeout(resolve, 60_000)));
  call.addDoneCallback((future) => void future.exception().catch(() => {}));
  const { signal } = new AbortController();
  await run(async () => {
    const reports: string[] = [];
    getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
    const calls = [
      () => thread.join(),
      () => thread.join({ signal }),
      () => listener.accept(),
      () => listener.accept({ signal }),
      () => futures.wait([call]),
      () => futures.wait([call], { signal, timeout: 60 }),
      async () => {
        for await (const _ of futures.asCompleted([call], { signal })) assert.fail('it never ends');
      },
      () => pool.shutdown(),
    ];
    for (const call of calls) {
      const task = createTask(call as () => Promise<unknown>);
      await sleep(0.01);
      task.cancel();
      await assert.rejects(async () => task, { name: 'CancelledError' });
    }
    assert.deepEqual(reports, []);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
  await listener.close();
  await thread.terminate();
  await pool.terminateWorkers();
});

test('a condition holds its lock after a wait, however often that is cancelled', { skip }, async () => {
  const condition = new threading.Condition();
  await run(async () => {
    const waiter = createTask(async () => {
      await condition.acquire();
      try {
        await condition.wait();
      } finally {
        assert.equal(condition.lock.locked(), true);
        condition.release();
      }
    });
    await sleep(0.01);
    await condition.acquire(); // keeps the waiter from taking it back
    waiter.cancel();
    await sleep(0.01);
    waiter.cancel();
    await sleep(0.01);
    assert.equal(waiter.done(), false);
    condition.release();
    await assert.rejects(async () => waiter, { name: 'CancelledError' });
    assert.equal(condition.lock.locked(), false);
  });
});
