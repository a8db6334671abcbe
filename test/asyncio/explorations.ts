// Programs for the explorer, one for each kind of primitive, over whatever implementation they are given: the real one
// must keep the invariants under every seed, and each mutant must be caught.
import assert from 'node:assert/strict';
import type { WaitOptions } from '../../src/base/deadline.ts';
import {
  BrokenBarrierError,
  CancelledError,
  createTask,
  gather,
  sleep,
  Task,
  TimeoutError,
} from '../../src/entry/asyncio.ts';
import type { Draw } from '../../src/entry/testing.ts';
import { settled } from '../../src/entry/testing.ts';

export interface PermitLike {
  acquire(options?: WaitOptions): Promise<true>;
  release(): void;
  locked(): boolean;
}

/** At most `permits` inside, first come first served, nothing lost when waiters give up. */
export const permitProgram =
  (make: () => PermitLike, permits: number) =>
  async (draw: Draw): Promise<void> => {
    const lock = make();
    const line: number[] = [];
    const gaveUp = new Set<number>();
    const overtaken: number[][] = [];
    let inside = 0;
    const visit = async (id: number): Promise<void> => {
      await draw.pause();
      line.push(id);
      try {
        await lock.acquire(draw.chance(0.3) ? { timeout: draw.integer(3) } : undefined);
      } catch (error) {
        gaveUp.add(id);
        line.splice(line.indexOf(id), 1);
        throw error;
      }
      overtaken.push(line.slice(0, line.indexOf(id)));
      line.splice(line.indexOf(id), 1);
      assert.ok(++inside <= permits, `${inside} inside of ${permits}`);
      try {
        await draw.pause();
        if (draw.chance(0.3)) await sleep(draw.integer(3));
      } finally {
        inside--;
        lock.release();
      }
    };
    await crowd(
      draw,
      [0, 1, 2, 3, 4].map((id) => () => visit(id)),
    );
    // Those who gave up may have been seen in the line a little longer than they stood there.
    for (const ahead of overtaken) assert.ok(ahead.filter((id) => !gaveUp.has(id)).length < permits, 'overtaken');
    for (let i = 0; i < permits; i++) await lock.acquire({ timeout: 1 });
    assert.equal(lock.locked(), true);
  };

export interface EventLike {
  set(): void;
  clear(): void;
  wait(options?: WaitOptions): Promise<true>;
}

/** Whoever waits when the event is set wakes, even if it is cleared at once. */
export const eventProgram =
  (make: () => EventLike) =>
  async (draw: Draw): Promise<void> => {
    const event = make();
    let woken = 0;
    const waiters = Array.from({ length: 4 }, () =>
      createTask(async () => {
        await draw.pause();
        await event.wait();
        woken++;
        await draw.pause();
      }),
    );
    const gone = waiters.filter(() => draw.chance(0.3));
    await settled();
    for (const task of gone) task.cancel();
    await draw.pause();
    event.set();
    if (draw.chance(0.7)) event.clear();
    await gather(waiters, { returnExceptions: true });
    assert.equal(woken, waiters.filter((task) => !task.cancelled()).length);
    for (const task of waiters) assert.ok(gone.includes(task) || !task.cancelled());
  };

export interface ConditionLike {
  acquire(): Promise<true>;
  release(): void;
  wait(options?: WaitOptions): Promise<true>;
  notify(): void;
}

/** One at a time holds the lock, also after a cancelled wait; a notification always reaches somebody who acts on it. */
export const conditionProgram =
  (make: () => ConditionLike) =>
  async (draw: Draw): Promise<void> => {
    const condition = make();
    let [stock, inside, waiting] = [0, 0, 0];
    const within = async (body: () => Promise<void> | void): Promise<void> => {
      await condition.acquire();
      assert.equal(++inside, 1);
      try {
        await body();
      } finally {
        inside--;
        condition.release();
      }
    };
    const wait = async (options?: WaitOptions): Promise<void> => {
      inside--;
      waiting++;
      try {
        await condition.wait(options);
      } finally {
        waiting--;
        assert.equal(++inside, 1, 'holds the lock after the wait');
      }
    };
    const buy = (): Promise<void> =>
      within(async () => {
        const options = draw.chance(0.2) ? { timeout: 1 } : undefined;
        for (const empty = (): boolean => stock === 0; empty();) await wait(options);
        stock--;
      });
    const deliver = async (): Promise<void> => {
      await draw.pause();
      await within(async () => {
        stock++;
        condition.notify();
        await draw.pause();
      });
    };
    const buyers = createTask(() => crowd(draw, [buy, buy, buy, buy]));
    await gather([deliver, deliver]);
    await sleep(5);
    await settled();
    assert.ok(stock === 0 || waiting === 0, `${waiting} wait for one of ${stock}`);
    await gather([deliver, deliver, deliver, deliver]);
    await buyers;
    assert.equal(inside, 0);
  };

export interface BarrierLike {
  readonly nWaiting: number;
  wait(options?: WaitOptions): Promise<number>;
  abort(): void;
}

/** Nobody passes before enough have come, each place is taken once a round, and who gave up does not count. */
export const barrierProgram =
  (make: (parties: number) => BarrierLike) =>
  async (draw: Draw): Promise<void> => {
    const parties = 3;
    const barrier = make(parties);
    const places = [0, 0, 0];
    let [arrived, passed, aborted] = [0, 0, false];
    const come = async (options?: WaitOptions): Promise<void> => {
      await draw.pause();
      arrived++;
      try {
        places[await barrier.wait(options)]!++;
        passed++;
        assert.ok(arrived - (arrived % parties) >= passed, `${passed} passed of ${arrived} that came`);
      } catch (error) {
        if (error instanceof BrokenBarrierError) return assert.ok(aborted);
        arrived--;
        throw error;
      }
    };
    const walk = async (): Promise<void> => {
      for (let round = 0; round < 2; round++) await come();
    };
    const tourist = (): Promise<void> => come({ timeout: draw.integer(2) });
    const everybody = createTask(() => crowd(draw, [walk, walk, walk, tourist, tourist]));
    await sleep(5);
    await settled();
    assert.ok(barrier.nWaiting < parties);
    aborted = true;
    barrier.abort();
    await everybody;
    assert.equal(new Set(places).size, 1, `places taken: ${places.join()}`);
  };

export interface QueueLike {
  readonly maxsize: number;
  put(item: number, options?: WaitOptions): Promise<void>;
  get(options?: WaitOptions): Promise<number>;
  getNowait(): number;
  qsize(): number;
  empty(): boolean;
  taskDone(): void;
  join(options?: WaitOptions): Promise<void>;
}

/**
 * Every item that was put is taken exactly once, none that was not; the bound holds; a FIFO queue keeps their order.
 */
export const queueProgram =
  (make: (maxsize: number) => QueueLike, fifo: boolean) =>
  async (draw: Draw): Promise<void> => {
    const queue = make(draw.integer(3));
    const put: number[] = [];
    const taken: number[] = [];
    const longest = 10;
    const limit = (): WaitOptions => ({ timeout: draw.chance(0.3) ? draw.integer(3) : longest });
    const inVain = (error: unknown): boolean => error instanceof TimeoutError && error.timeout === longest;
    const produce = (producer: number) => async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await draw.pause();
        await queue.put(producer * 10 + i, limit()).catch((error: unknown) => {
          if (inVain(error)) assert.ok(queue.maxsize > 0 && queue.qsize() >= queue.maxsize, 'waits beside room');
          throw error;
        });
        put.push(producer * 10 + i);
        assert.ok(queue.maxsize === 0 || queue.qsize() <= queue.maxsize, 'more items than the bound');
      }
    };
    const consume = async (): Promise<void> => {
      const own: number[] = [];
      for (let i = 0; i < 3; i++) {
        await draw.pause();
        const item = await queue.get(limit()).catch((error: unknown) => {
          if (inVain(error)) assert.ok(queue.empty(), 'waits beside an item');
          throw error;
        });
        taken.push(item);
        own.push(item);
        queue.taskDone();
        if (fifo) assertOrdered(own);
      }
    };
    await crowd(draw, [produce(1), produce(2), produce(3), consume, consume, consume]);
    while (!queue.empty()) {
      taken.push(queue.getNowait());
      queue.taskDone();
    }
    assert.deepEqual(taken.sort(byNumber), put.sort(byNumber));
    await queue.join({ timeout: 1 });
  };

function assertOrdered(items: readonly number[]): void {
  const last = new Map<number, number>();
  for (const item of items) {
    const producer = Math.floor(item / 10);
    assert.ok((last.get(producer) ?? -1) < item, `items of a producer out of order: ${items.join()}`);
    last.set(producer, item);
  }
}

const byNumber = (a: number, b: number): number => a - b;

/** Runs the visitors as tasks, cancels some at points drawn, and waits for all; only giving up is no failure. */
async function crowd(draw: Draw, visitors: readonly (() => Promise<void>)[]): Promise<void> {
  const tasks = visitors.map((visitor) => createTask(visitor));
  for (const task of tasks) {
    await draw.pause();
    if (draw.chance(0.2)) task.cancel();
  }
  await gather(tasks, { returnExceptions: true });
  for (const task of tasks) if (!gaveUp(task)) task.result();
}

function gaveUp(task: Task<void>): boolean {
  return task.cancelled() || task.exception() instanceof CancelledError || task.exception() instanceof TimeoutError;
}
