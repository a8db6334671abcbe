import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../src/asyncio/run.ts';
import { TaskGroup } from '../../src/asyncio/task-group.ts';
import { BrokenError, CancelledError, InvalidStateError, TimeoutError } from '../../src/base/errors.ts';
import { fromModule } from '../../src/callable/from-module.ts';
import type { ScopeUnderTest } from './scopes.ts';

const parties = fromModule<typeof import('./parties.js')>(new URL('./parties.js', import.meta.url));

/** What the locks and signals of every scope must do, seen from two threads or processes. */
export function testSynchronisation(scope: ScopeUnderTest): void {
  const { Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event, Barrier } = scope;
  const it = (what: string, body: () => Promise<void> | void) => void test(`${scope.name}: ${what}`, body);

  it('a lock excludes, tells its state, and is released by its holder only', async () => {
    await using host = scope.host();
    const lock = new Lock();
    assert.equal(lock.tryAcquire(), true);
    assert.equal(lock.tryAcquire(), false);
    assert.equal(lock.locked(), true);
    assert.equal(await host.call(parties.release, [lock]), 'the lock is held by another thread');
    lock.release();
    assert.throws(() => lock.release(), InvalidStateError);
    assert.equal(await host.call(parties.hold, [lock]), true);
    assert.equal(lock.tryAcquire(), false);
    assert.equal(await host.call(parties.release, [lock]), 'released');
    assert.equal(lock.locked(), false);
  });

  it('acquireSync on a lock this thread holds throws', () => {
    const lock = new Lock();
    lock.acquireSync();
    assert.throws(() => lock.acquireSync(), { code: 'SIMUL_INVALID_STATE' });
    lock.release();
  });

  it('a wait for a lock ends by timeout and by signal, not holding it', async () => {
    await using host = scope.host();
    const lock = new Lock();
    await host.call(parties.hold, [lock]);
    await assert.rejects(lock.acquire({ timeout: 0.01 }), TimeoutError);
    assert.throws(() => lock.acquireSync({ timeout: 0.01 }), TimeoutError);
    const abort = new AbortController();
    const waiting = assert.rejects(lock.acquire({ signal: abort.signal }), CancelledError);
    abort.abort();
    await waiting;
    await assert.rejects(lock.acquire({ signal: abort.signal }), CancelledError);
    await host.call(parties.release, [lock]);
    assert.equal(lock.tryAcquire(), true);
  });

  it('waiting tasks get a lock in order, the event loop free meanwhile', async () => {
    await using host = scope.host();
    const lock = new Lock();
    await host.call(parties.hold, [lock]);
    const order: number[] = [];
    const waiters = [1, 2, 3].map((n) => lock.run(() => void order.push(n)));
    await host.call(parties.release, [lock]);
    await Promise.all(waiters);
    assert.deepEqual(order, [1, 2, 3]);
  });

  it('those who take a lock again and again do not keep others from it', async () => {
    const lock = new Lock();
    const stop = new Event();
    const hogs = [scope.host(), scope.host()];
    const start = new Barrier(3);
    const hogging = hogs.map((host) => host.call(parties.hog, [lock, stop, start]));
    await start.wait();
    for (let i = 0; i < 50; i++) await lock.run(() => {});
    await using other = scope.host();
    for (let i = 0; i < 50; i++) await other.call(parties.pass, [lock]);
    stop.set();
    await Promise.all(hogging);
    await Promise.all(hogs.map((host) => host.close()));
  });

  it('guards release at the end of their block', async () => {
    const lock = new Lock();
    {
      using guard = await lock.guard();
      assert.equal(guard.recovered, false);
      assert.equal(lock.locked(), true);
    }
    assert.equal(lock.locked(), false);
    await assert.rejects(
      lock.run(() => Promise.reject(new Error('inside'))),
      /inside/,
    );
    assert.equal(lock.locked(), false);
    assert.equal(
      lock.runSync(() => lock.locked()),
      true,
    );
    assert.equal(lock.locked(), false);
  });

  it('an RLock is re-entered by its owner, a thread and a task, and by nobody else', async () => {
    await using host = scope.host();
    const lock = new RLock();
    await run(async () => {
      await lock.acquire();
      await lock.acquire();
      assert.equal(lock.tryAcquire(), true);
      await TaskGroup.run(async (group) => {
        await group.createTask(async () => {
          assert.equal(lock.tryAcquire(), false);
          assert.throws(() => lock.release(), /another task/);
        });
      });
      assert.equal(await host.call(parties.release, [lock]), 'the lock is held by another thread');
      lock.release();
      lock.release();
      assert.equal(lock.locked(), true);
      lock.release();
      assert.equal(lock.locked(), false);
    });
  });

  it('a semaphore has so many permits; a bounded one never more', async () => {
    await using host = scope.host();
    const semaphore = new Semaphore(2);
    assert.equal(await host.call(parties.hold, [semaphore]), true);
    assert.equal(semaphore.value, 1);
    semaphore.acquireSync();
    assert.equal(semaphore.tryAcquire(), false);
    await assert.rejects(semaphore.acquire({ timeout: 0.01 }), TimeoutError);
    const next = semaphore.acquire();
    semaphore.release();
    assert.equal(await next, true);
    const bounded = new BoundedSemaphore(1);
    assert.throws(() => bounded.release(), InvalidStateError);
    await bounded.run(() => assert.equal(bounded.value, 0));
    assert.equal(bounded.value, 1);
    assert.throws(() => new Semaphore(-1), { code: 'SIMUL_INVALID_ARGUMENT' });
    assert.throws(() => semaphore.release(0), { code: 'SIMUL_INVALID_ARGUMENT' });
  });

  it('a semaphore that counts events may start at 0 and be released by others', async () => {
    const semaphore = new Semaphore(0, { reclaim: false });
    semaphore.release(3);
    assert.equal(semaphore.value, 3);
    await semaphore.acquire();
    assert.equal(semaphore.value, 2);
  });

  it('an event wakes those who block and those who await', async () => {
    await using host = scope.host();
    const event = new Event();
    const entered = new Event();
    await assert.rejects(event.wait({ timeout: 0.01 }), TimeoutError);
    assert.throws(() => event.waitSync({ timeout: 0.01 }), TimeoutError);
    const blocked = host.call(parties.awaitEvent, [event, entered]);
    const awaited = event.wait();
    await entered.wait();
    event.set();
    assert.deepEqual(await Promise.all([blocked, awaited]), [true, true]);
    event.clear();
    assert.equal(event.isSet(), false);
  });

  it('a condition hands over what a lock protects', async () => {
    await using consumer = scope.host();
    const condition = new Condition();
    const buffer = scope.name === 'threads' ? new Int32Array(new SharedArrayBuffer(4)) : undefined;
    assert.throws(() => condition.notify(), InvalidStateError);
    await assert.rejects(condition.wait(), InvalidStateError);
    await condition.acquire();
    await assert.rejects(condition.wait({ timeout: 0.01 }), TimeoutError);
    condition.release();
    if (buffer === undefined) return; // plain memory cannot cross to a process: the model test has it
    const eaten = consumer.call(parties.consume, [condition, buffer, 20]);
    for (let i = 0; i < 20; i++) {
      await condition.acquire();
      buffer[0]!++;
      condition.notify();
      condition.release();
    }
    assert.equal(await eaten, 20);
  });

  it('a notification is not taken by one who came after it', async () => {
    const condition = new Condition(new Lock());
    const woken: string[] = [];
    const wait = async (name: string) => {
      await condition.acquire();
      await condition.wait();
      woken.push(name);
      condition.release();
    };
    const first = wait('first');
    await condition.acquire();
    condition.notify();
    const second = wait('second');
    condition.release();
    await first;
    assert.deepEqual(woken, ['first']);
    await condition.acquire();
    condition.notifyAll();
    condition.release();
    await second;
  });

  it('a barrier lets all go together, again and again, and breaks for all', async () => {
    await using host = scope.host();
    const barrier = new Barrier(2);
    const theirs = host.call(parties.arrive, [barrier, 3]);
    const ours: number[] = [];
    for (let i = 0; i < 3; i++) ours.push(await barrier.wait());
    const both = (await theirs).map((place, i) => [place, ours[i]!].sort((a, b) => a - b));
    assert.deepEqual(both, [
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
    const waiting = assert.rejects(barrier.wait(), BrokenError);
    barrier.abort();
    await waiting;
    assert.equal(barrier.broken, true);
    await assert.rejects(barrier.wait(), BrokenError);
    barrier.reset();
    await assert.rejects(barrier.wait({ timeout: 0.01 }), TimeoutError);
    assert.equal(barrier.broken, true);
    assert.throws(() => new Barrier(0), { code: 'SIMUL_INVALID_ARGUMENT' });
  });

  it('a lock whose holder died is recovered, by who awaits and by who blocks', async () => {
    const lock = new Lock();
    const holder = scope.host();
    await holder.call(parties.hold, [lock]);
    const waiting = lock.acquire({ timeout: 30 });
    await holder.terminate();
    await waiting;
    assert.equal(lock.recovered, true);
    lock.release();
    await using other = scope.host();
    assert.equal(await other.call(parties.pass, [lock]), false);
    const second = scope.host();
    await second.call(parties.holdAsync, [lock]);
    const blocked = other.call(parties.pass, [lock]);
    await second.terminate();
    assert.equal(await blocked, true);
  });

  it('permits of the dead are given back', async () => {
    const semaphore = new Semaphore(2);
    const holder = scope.host();
    await holder.call(parties.hold, [semaphore]);
    await holder.call(parties.hold, [semaphore]);
    const waiting = semaphore.acquire({ timeout: 30 });
    await holder.terminate();
    await waiting;
    assert.equal(semaphore.value, 1);
  });

  it('a thread that blocks can be terminated', async () => {
    const lock = new Lock();
    lock.acquireSync();
    const host = scope.host();
    const entered = new Event();
    const blocked = assert.rejects(host.call(parties.blockOn, [lock, entered]), BrokenError);
    await entered.wait();
    await host.terminate();
    await blocked;
    lock.release();
  });
}
