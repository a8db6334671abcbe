import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Barrier,
  BoundedSemaphore,
  BrokenBarrierError,
  CancelledError,
  Condition,
  createTask,
  Event,
  gather,
  getRunningLoop,
  InvalidArgumentError,
  InvalidStateError,
  Lock,
  Semaphore,
  sleep,
  Task,
  TimeoutError,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

interface Acquirable {
  acquire(options?: { timeout?: number; signal?: AbortSignal }): Promise<true>;
  release(): void;
  locked(): boolean;
  run<T>(fn: () => T): Promise<T>;
  guard(): Promise<Disposable>;
}

const kinds: Record<string, () => Acquirable> = {
  Lock: () => new Lock(),
  Semaphore: () => new Semaphore(1),
  BoundedSemaphore: () => new BoundedSemaphore(1),
  Condition: () => new Condition(),
};

for (const [kind, make] of Object.entries(kinds)) {
  describe(kind, () => {
    it('is had at once when free', () =>
      virtual(async () => {
        const lock = make();
        assert.equal(lock.locked(), false);
        assert.equal(await lock.acquire(), true);
        assert.equal(lock.locked(), true);
        lock.release();
        assert.equal(lock.locked(), false);
      }));

    it('is handed to waiters in the order of their coming, past those that gave up', () =>
      virtual(async () => {
        const lock = make();
        await lock.acquire();
        const order: number[] = [];
        const waiters = [0, 1, 2, 3].map((i) =>
          createTask(async () => {
            await lock.acquire(i === 2 ? { timeout: 1 } : {});
            order.push(i);
            lock.release();
          }),
        );
        await settled();
        waiters[0]!.cancel();
        await sleep(2);
        lock.release();
        await gather(waiters, { returnExceptions: true });
        assert.deepEqual(order, [1, 3]);
        assert.ok(waiters[0]!.cancelled());
        assert.ok(waiters[2]!.exception() instanceof TimeoutError);
        assert.equal(lock.locked(), false);
      }));

    it('stays with a waiter that is cancelled after it was handed over', () =>
      virtual(async () => {
        const lock = make();
        await lock.acquire();
        const waiter = createTask(async () => {
          await lock.acquire();
          try {
            await sleep(1);
          } finally {
            lock.release();
          }
        });
        await settled();
        lock.release();
        waiter.cancel();
        await assert.rejects(async () => waiter, CancelledError);
        assert.equal(lock.locked(), false);
      }));

    it('ends a wait by a signal, also one that is aborted before', () =>
      virtual(async () => {
        const lock = make();
        await assert.rejects(lock.acquire({ signal: AbortSignal.abort() }), CancelledError);
        await lock.acquire();
        const abort = new AbortController();
        const waiter = lock.acquire({ signal: abort.signal });
        abort.abort(new Error('why'));
        await assert.rejects(
          waiter,
          (error) => error instanceof CancelledError && (error.cause as Error).message === 'why',
        );
        lock.release();
        assert.equal(lock.locked(), false);
      }));

    it('has scoped forms that release whatever happens', () =>
      virtual(async () => {
        const lock = make();
        assert.equal(await lock.run(() => lock.locked()), true);
        await assert.rejects(
          lock.run(() => {
            throw new Error('boom');
          }),
          /boom/,
        );
        {
          using guard = await lock.guard();
          assert.ok(guard !== undefined && lock.locked());
        }
        assert.equal(lock.locked(), false);
      }));

    it('refuses a bad timeout and stays as it was', () =>
      virtual(async () => {
        const lock = make();
        assert.throws(() => void lock.acquire({ timeout: -1 }), InvalidArgumentError);
        assert.throws(() => void lock.acquire({ timeout: NaN }), InvalidArgumentError);
        assert.equal(lock.locked(), false);
      }));
  });
}

describe('release without acquire', () => {
  it('is the standard error', () => {
    assert.throws(() => new Lock().release(), new InvalidStateError('Lock is not acquired.'));
    assert.throws(() => new Condition().release(), new InvalidStateError('Lock is not acquired.'));
    const bounded = new BoundedSemaphore(2);
    assert.throws(() => bounded.release(), new InvalidStateError('BoundedSemaphore released too many times'));
    const plain = new Semaphore(0);
    plain.release();
    assert.equal(plain.value, 1);
  });
});

describe('Semaphore', () => {
  it('lets as many in as it has permits', () =>
    virtual(async () => {
      const slots = new Semaphore(3);
      let [inside, most] = [0, 0];
      await gather(
        Array.from(
          { length: 10 },
          () => () =>
            slots.run(async () => {
              most = Math.max(most, ++inside);
              await sleep(1);
              inside--;
            }),
        ),
      );
      assert.equal(most, 3);
      assert.equal(getRunningLoop().time(), 4);
      assert.equal(slots.value, 3);
    }));

  it('has tryAcquire', () => {
    const slots = new Semaphore(1);
    assert.deepEqual([slots.tryAcquire(), slots.tryAcquire()], [true, false]);
  });

  it('refuses impossible values', () => {
    for (const value of [-1, 1.5, NaN, '3']) assert.throws(() => new Semaphore(value as number), InvalidArgumentError);
  });
});

describe('Event', () => {
  it('wakes everybody, even if cleared at once, and lets latecomers pass while set', () =>
    virtual(async () => {
      const event = new Event();
      const waiters = [createTask(() => event.wait()), createTask(() => event.wait())];
      await settled();
      event.set();
      event.clear();
      assert.deepEqual(await gather(waiters), [true, true]);
      assert.equal(event.isSet(), false);
      await assert.rejects(event.wait({ timeout: 1 }), TimeoutError);
      event.set();
      assert.equal(await event.wait(), true);
    }));
});

describe('Condition', () => {
  const waiting = (condition: Condition, log: string[], name: string): Task<void> =>
    createTask(
      () =>
        condition.run(async () => {
          await condition.wait();
          log.push(name);
        }),
      { name },
    );

  it('wakes as many as it is told, the longest waiting first', () =>
    virtual(async () => {
      const [condition, log] = [new Condition(), [] as string[]];
      const tasks = ['a', 'b', 'c', 'd'].map((name) => waiting(condition, log, name));
      await settled();
      await condition.run(() => condition.notify(2));
      await settled();
      assert.deepEqual(log, ['a', 'b']);
      await condition.run(() => condition.notifyAll());
      await gather(tasks);
      assert.deepEqual(log, ['a', 'b', 'c', 'd']);
    }));

  it('holds the lock again when a wait is cancelled or times out', () =>
    virtual(async () => {
      const condition = new Condition();
      await condition.acquire();
      await assert.rejects(condition.wait({ timeout: 1 }), TimeoutError);
      assert.equal(condition.locked(), true);
      condition.release();
      const task = createTask(async () => {
        await condition.acquire();
        try {
          await condition.wait();
        } finally {
          assert.equal(condition.locked(), true);
          condition.release();
        }
      });
      await settled();
      task.cancel();
      await assert.rejects(async () => task, CancelledError);
      assert.equal(condition.locked(), false);
    }));

  it('passes a notification on when the notified waiter is cancelled before it has the lock', () =>
    virtual(async () => {
      const [condition, log] = [new Condition(), [] as string[]];
      const [first, second] = [waiting(condition, log, 'first'), waiting(condition, log, 'second')];
      await settled();
      await condition.acquire();
      condition.notify();
      first.cancel();
      await settled();
      condition.release();
      await assert.rejects(async () => first, CancelledError);
      await second;
      assert.deepEqual(log, ['second']);
    }));

  it('waits for a predicate, with one budget for all waits', () =>
    virtual(async () => {
      const condition = new Condition();
      let stock = 0;
      const buyer = createTask(() => condition.run(() => condition.waitFor(() => stock >= 2)));
      for (let i = 0; i < 2; i++) {
        await sleep(1);
        await condition.run(() => {
          stock++;
          condition.notifyAll();
        });
      }
      assert.equal(await buyer, true);
      const late = condition.run(() => condition.waitFor(() => false, { timeout: 3 }));
      await sleep(2);
      await condition.run(() => condition.notifyAll());
      await assert.rejects(late, TimeoutError);
      assert.equal(getRunningLoop().time(), 5);
    }));

  it('refuses to wait or notify without the lock', () =>
    virtual(async () => {
      const condition = new Condition();
      await assert.rejects(condition.wait(), new InvalidStateError('cannot wait on un-acquired lock'));
      assert.throws(() => condition.notify(), new InvalidStateError('cannot notify on un-acquired lock'));
      assert.throws(() => new Condition({} as never), InvalidArgumentError);
    }));

  it('shares a lock', () =>
    virtual(async () => {
      const lock = new Lock();
      const [full, empty] = [new Condition(lock), new Condition(lock)];
      await full.acquire();
      assert.equal(empty.locked(), true);
    }));
});

describe('Barrier', () => {
  it('lets its parties go together, numbered by arrival, again and again', () =>
    virtual(async () => {
      const barrier = new Barrier(3);
      for (let round = 0; round < 2; round++) {
        const places = gather([0, 1, 2].map((i) => () => sleep(i).then(() => barrier.wait())));
        assert.deepEqual(await places, [0, 1, 2]);
        assert.equal(getRunningLoop().time(), 2 * (round + 1));
      }
      assert.equal(barrier.nWaiting, 0);
    }));

  it('stays whole when a waiter is cancelled, and waits for one more', () =>
    virtual(async () => {
      const barrier = new Barrier(2);
      const gone = createTask(() => barrier.wait());
      await settled();
      gone.cancel();
      await settled();
      assert.deepEqual([barrier.nWaiting, barrier.broken], [0, false]);
      assert.deepEqual(await gather([() => barrier.wait(), () => barrier.wait()]), [0, 1]);
    }));

  it('breaks by abort until it is reset', () =>
    virtual(async () => {
      const barrier = new Barrier(2);
      const waiter = createTask(() => barrier.wait());
      await settled();
      barrier.abort();
      await assert.rejects(async () => waiter, BrokenBarrierError);
      await assert.rejects(barrier.wait(), BrokenBarrierError);
      barrier.reset();
      assert.equal(barrier.broken, false);
      assert.deepEqual(await gather([() => barrier.wait(), () => barrier.wait()]), [0, 1]);
    }));

  it('sends waiters away by reset', () =>
    virtual(async () => {
      const barrier = new Barrier(2);
      const waiter = createTask(() => barrier.wait());
      await settled();
      barrier.reset();
      await assert.rejects(async () => waiter, BrokenBarrierError);
      assert.equal(barrier.broken, false);
    }));

  it('refuses fewer than one party', () => {
    assert.throws(() => new Barrier(0), InvalidArgumentError);
  });
});
