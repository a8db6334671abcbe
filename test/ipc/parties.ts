// What other threads and processes do in the tests of this folder; exported functions, named by `fromModule`.
import type { SharedBarrier } from '../../src/ipc/barrier.ts';
import type { SharedCondition } from '../../src/ipc/condition.ts';
import type { SharedEvent } from '../../src/ipc/event.ts';
import type { SharedLock } from '../../src/ipc/lock.ts';
import type { SharedSemaphore } from '../../src/ipc/semaphore.ts';
import type { Value } from '../../src/multiprocessing/value.ts';

export function hold(lock: SharedLock | SharedSemaphore): boolean {
  return lock.acquireSync();
}

export async function holdAsync(lock: SharedLock): Promise<boolean> {
  return lock.acquire();
}

export function release(lock: SharedLock): string {
  try {
    lock.release();
    return 'released';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Takes, tells whether the holder before had died, and releases. */
export function pass(lock: SharedLock): boolean {
  lock.acquireSync({ timeout: 30 });
  const { recovered } = lock;
  lock.release();
  return recovered;
}

export function set(event: SharedEvent): void {
  event.set();
}

export function awaitEvent(event: SharedEvent, entered: SharedEvent): boolean {
  entered.set();
  return event.waitSync({ timeout: 30 });
}

export function arrive(barrier: SharedBarrier, times: number): number[] {
  return Array.from({ length: times }, () => barrier.waitSync({ timeout: 30 }));
}

export async function consume(condition: SharedCondition, stock: Int32Array, wanted: number): Promise<number> {
  let taken = 0;
  while (taken < wanted) {
    await condition.acquire();
    await condition.waitFor(() => stock[0]! > 0, { timeout: 30 });
    stock[0]!--;
    taken++;
    condition.release();
  }
  return taken;
}

export function increment(lock: SharedLock, counter: Value<'int32'>, times: number): void {
  for (let i = 0; i < times; i++) {
    lock.acquireSync();
    counter.value++;
    lock.release();
  }
}

export function blockOn(lock: SharedLock, entered: SharedEvent): void {
  entered.set();
  lock.acquireSync();
}

/** Waits on the event loop for a moment, in vain. */
export async function holdAsyncFor(lock: SharedLock, entered: SharedEvent): Promise<void> {
  await lock.acquire({ timeout: 0.001 }).catch(() => {});
  entered.set();
}

export function hog(lock: SharedLock, stop: SharedEvent, start: SharedBarrier): number {
  start.waitSync({ timeout: 30 });
  let times = 0;
  for (; !stop.isSet(); times++) {
    lock.acquireSync();
    lock.release();
  }
  return times;
}
