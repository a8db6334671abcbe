import type { WaitOptions } from '../base/deadline.ts';
import { throwIfAborted } from '../base/deadline.ts';
import { InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import { poll, POLLIN } from '../os/poll.ts';

/** What `poll` of a Connection, and of what Listener and Client give, looks like. */
export interface Pollable {
  poll(timeout?: number, options?: { signal?: AbortSignal }): Promise<boolean>;
}

/**
 * Waits until at least one of several is ready and gives all that are, in the order given: connections with a message or at
 * their end, and descriptors such as the `sentinel` of a process that has ended. Empty if none is within `timeout` seconds (0
 * only looks). CancelledError; ClosedError for an end closed here. (multiprocessing.connection.wait)
 *
 * @example
 * const ready = await wait([connection, child.sentinel], { timeout: 10 });
 * if (ready.includes(child.sentinel)) console.log('the child is gone');
 */
export async function wait<T extends Pollable | number>(
  objects: Iterable<T>,
  { timeout, signal }: WaitOptions = {},
): Promise<T[]> {
  throwIfAborted(signal);
  const all = [...objects];
  all.forEach(check);
  const now = await readyOf(all);
  if (now.length > 0 || timeout === 0 || all.length === 0) return now;
  return (await anyReady(all, timeout, signal)) ? readyOf(all) : [];
}

function check(object: unknown): void {
  if (typeof object === 'number' ? Number.isInteger(object) && object >= 0 : isPollable(object)) return;
  throw new InvalidArgumentError('objects', object, 'connections, and descriptors such as the sentinel of a process');
}

function isPollable(object: unknown): object is Pollable {
  return typeof object === 'object' && object !== null && 'poll' in object && typeof object.poll === 'function';
}

async function readyOf<T extends Pollable | number>(all: readonly T[]): Promise<T[]> {
  const ready = await Promise.all(all.map((object) => isReady(object, 0)));
  return all.filter((_, index) => ready[index]);
}

// The first that is ready, or fails, ends the waits for the others.
async function anyReady(
  all: readonly (Pollable | number)[],
  timeout: number = Infinity,
  signal?: AbortSignal,
): Promise<boolean> {
  const settled = new AbortController();
  const ends = signal === undefined ? settled.signal : AbortSignal.any([signal, settled.signal]);
  const waits = all.map((object) => isReady(object, timeout, ends));
  try {
    return await Promise.race(waits);
  } finally {
    settled.abort();
    await Promise.allSettled(waits);
  }
}

async function isReady(object: Pollable | number, timeout: number, signal?: AbortSignal): Promise<boolean> {
  if (typeof object !== 'number') return object.poll(timeout, signal && { signal });
  try {
    await poll(object, POLLIN, { timeout, signal });
    return true;
  } catch (error) {
    if (error instanceof TimeoutError) return false;
    throw error;
  }
}
