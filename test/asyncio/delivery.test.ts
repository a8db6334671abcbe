import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as nodeSleep } from 'node:timers/promises';
import {
  Barrier,
  CancelledError,
  Condition,
  createTask,
  Event,
  getRunningLoop,
  Lock,
  Queue,
  run,
  Semaphore,
  sleep,
  StreamReader,
  StreamWriter,
  Task,
  TaskGroup,
  timeout,
  timeoutAt,
  TimeoutError,
  wait,
  waitFor,
} from '../../src/entry/asyncio.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { settled } from '../../src/entry/testing.ts';
import { program } from '../fixtures/program.ts';
import { virtual } from './virtual.ts';

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a cancellation nobody has received', () => {
  const ready = new Event();
  ready.set();
  const fed = (): StreamReader => {
    const reader = new StreamReader();
    reader.feedData(Buffer.from('a\n'));
    return reader;
  };
  const calls: Record<string, () => PromiseLike<unknown>> = {
    'Lock.acquire': () => new Lock().acquire(),
    'Lock.run': () => new Lock().run(() => {}),
    'Semaphore.acquire': () => new Semaphore(1).acquire(),
    'Event.wait': () => ready.wait(),
    'Queue.put': () => new Queue().put(1),
    'Queue.get': () => {
      const queue = new Queue<number>();
      queue.putNowait(1);
      return queue.get();
    },
    'Barrier.wait': () => new Barrier(1).wait(),
    'StreamReader.read': () => fed().read(1),
    'StreamReader.readexactly': () => fed().readexactly(1),
    'StreamReader.readline': () => fed().readline(),
    'a finished future': () => {
      const future = getRunningLoop().createFuture<void>();
      future.setResult();
      return future;
    },
    'StreamWriter.drain': () => new StreamWriter(new PassThrough()).drain(),
  };
  for (const [name, call] of Object.entries(calls)) {
    it(`ends ${name}, though it need not wait`, () =>
      virtual(async () => {
        let went = false;
        const task: Task<void> = createTask(async () => {
          task.cancel();
          await call();
          went = true;
        });
        await assert.rejects(async () => task, CancelledError);
        assert.equal(went, false);
      }));
  }

  it('leaves what it did not take', () =>
    virtual(async () => {
      const lock = new Lock();
      const queue = new Queue<number>();
      queue.putNowait(1);
      const task: Task<void> = createTask(async () => {
        task.cancel();
        await lock.acquire().catch(() => {});
        task.cancel();
        await queue.get();
      });
      await assert.rejects(async () => task, CancelledError);
      assert.equal(lock.locked(), false);
      assert.equal(queue.qsize(), 1);
    }));

  it('is delivered at the next wait if who listened to the signal does not heed it', () =>
    run(async () => {
      const log: string[] = [];
      await assert.rejects(
        timeout(0, async (signal) => {
          signal.addEventListener('abort', () => log.push('heard'));
          while (log.length === 0) await turns(1);
          await turns(3);
          await sleep(60);
        }),
        TimeoutError,
      );
      assert.deepEqual(log, ['heard']);
    }));

  for (const combine of [false, true]) {
    it(`is not delivered twice to who heeds the signal${combine ? ', or one made of it' : ''}`, () =>
      run(async () => {
        const task: Task<string> = createTask(async () => {
          const own = task.signal;
          const signal = combine ? AbortSignal.any([own, new AbortController().signal]) : own;
          await assert.rejects(nodeSleep(60_000, undefined, { signal }), { name: 'AbortError' });
          await sleep(0);
          return 'cleaned up';
        });
        await settled();
        task.cancel();
        assert.equal(await task, 'cleaned up');
      }));
  }
});

describe('Condition.wait', () => {
  it('throws the cancellation that comes while it takes the lock back after a timeout', () =>
    virtual(async () => {
      const condition = new Condition();
      const log: string[] = [];
      const task = createTask(async () => {
        await condition.acquire();
        await condition.wait({ timeout: 1 }).catch((error: Error) => log.push(error.name));
        condition.release();
      });
      await settled();
      await condition.acquire();
      await sleep(2);
      task.cancel();
      condition.release();
      await task;
      assert.deepEqual(log, ['CancelledError']);
    }));
});

describe('what ends with its scope', () => {
  it('is a wait nobody awaited: it takes nothing from others', () =>
    virtual(async () => {
      const queue = new Queue<string>();
      await createTask(() => void queue.get());
      queue.putNowait('kept');
      assert.equal(queue.qsize(), 1);
    }));

  it('is a wait begun early when the scope is cancelled, without an unhandled rejection', () =>
    virtual(async () => {
      await assert.rejects(
        timeout(1, async () => {
          const next = new Queue().get();
          await sleep(60);
          return next;
        }),
        TimeoutError,
      );
      await turns(2);
    }));

  it('is a timer of the loop', async () => {
    const clock = new VirtualClock();
    let called = false;
    await run(() => void getRunningLoop().callLater(1, () => (called = true)), { clock });
    clock.advance(2);
    assert.equal(called, false);
  });
});

describe('what several waits share', () => {
  it('is the timeout of readline, readexactly, readuntil and read', () =>
    virtual(async () => {
      const calls: ((reader: StreamReader) => Promise<Buffer>)[] = [
        (reader) => reader.readline({ timeout: 5 }),
        (reader) => reader.readexactly(100, { timeout: 5 }),
        (reader) => reader.readuntil('x', { timeout: 5 }),
        (reader) => reader.read(-1, { timeout: 5 }),
      ];
      for (const call of calls) {
        const reader = new StreamReader();
        const drip = createTask(async () => {
          for (;;) {
            await sleep(2);
            reader.feedData(Buffer.from('.'));
          }
        });
        const begun = getRunningLoop().time();
        await assert.rejects(call(reader), { name: 'TimeoutError', timeout: 5 });
        assert.equal(getRunningLoop().time() - begun, 5);
        drip.cancel();
      }
    }));

  it('is one listener on their signal, which goes with the last of them', () =>
    virtual(async () => {
      const { signal } = new AbortController();
      const event = new Event();
      const waits = Array.from({ length: 100 }, () => event.wait({ signal }));
      assert.equal(getEventListeners(signal, 'abort').length, 1);
      event.set();
      await Promise.all(waits);
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    }));
});

describe('a call of several steps begun early', () => {
  const taken = <T>(use: (lock: Lock) => T): T => {
    const lock = new Lock();
    lock.tryAcquire();
    return use(lock);
  };
  const held = <T>(use: (condition: Condition) => T): T => taken((lock) => use(new Condition(lock)));
  const calls: Record<string, () => Promise<unknown>> = {
    'Barrier.wait': () => new Barrier(2).wait(),
    'Condition.wait': () => held((condition) => condition.wait()),
    'Condition.waitFor': () => held((condition) => condition.waitFor(() => false)),
    'Lock.run': () => taken((lock) => lock.run(() => {})),
    'Lock.guard': () => taken((lock) => lock.guard()),
    'Semaphore.run': () => new Semaphore(0).run(() => {}),
    'Semaphore.guard': () => new Semaphore(0).guard(),
    'Queue.join': () => {
      const queue = new Queue<number>();
      queue.putNowait(1);
      return queue.join();
    },
    wait: () => wait([new Promise(() => {})]),
    timeout: () => timeout(50, () => sleep(60)),
    timeoutAt: () => timeoutAt(Infinity, () => sleep(60)),
    'a timeout in a timeout': () => timeout(50, () => timeout(50, () => sleep(60))),
    'waitFor a function': () => waitFor(() => sleep(60), 50),
    'waitFor a task': () =>
      waitFor(
        createTask(() => sleep(60)),
        50,
      ),
    'TaskGroup.run in its body': () => TaskGroup.run(() => sleep(60)),
    'TaskGroup.run in its join': () => TaskGroup.run((group) => void group.createTask(() => sleep(60))),
    'TaskGroup.join': () => {
      const group = new TaskGroup();
      group.createTask(() => sleep(60));
      return group.join();
    },
    'StreamReader.readline': () => new StreamReader().readline(),
    'StreamReader.readexactly': () => new StreamReader().readexactly(1),
    'StreamReader.read': () => new StreamReader().read(),
    'StreamReader.readuntil': () => new StreamReader().readuntil(';'),
  };
  for (const [name, call] of Object.entries(calls)) {
    it(`is no unhandled rejection when ${name} is cancelled`, () =>
      virtual(async () => {
        const body = async () => {
          const early = call();
          await sleep(60);
          return early;
        };
        await assert.rejects(timeout(1, body), TimeoutError);
        await turns(2);
      }));

    it(`is none either when ${name} is left behind by its task`, () =>
      virtual(async () => {
        await createTask(async () => {
          void call();
          await sleep(1);
        });
        await turns(2);
      }));
  }

  it('is one all the same when the end of an abandoned timeout is its own', async () => {
    const lost = await program('asyncio/abandoned');
    assert.match(lost.stderr, /TimeoutError: timed out after 0\.01 s/);
    assert.equal(lost.code, 1);
  });
});
