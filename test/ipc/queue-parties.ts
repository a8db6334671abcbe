// The other sides of the queue tests.
import type { SharedConnection } from '../../src/ipc/connection.ts';
import type { SharedEvent } from '../../src/ipc/event.ts';
import type { SharedJoinableQueue } from '../../src/ipc/joinable-queue.ts';
import type { SharedLock } from '../../src/ipc/lock.ts';
import type { SharedQueue } from '../../src/ipc/queue.ts';

export async function put(queue: SharedQueue<number>, item: number): Promise<string> {
  try {
    await queue.put(item);
    return 'put';
  } catch (error) {
    return (error as Error).message;
  }
}

export function work(queue: SharedJoinableQueue<number>, items: number): number {
  let sum = 0;
  for (let i = 0; i < items; i++) {
    sum += queue.getSync();
    queue.taskDone();
  }
  return sum;
}

export async function useWhatComes(queue: SharedQueue<unknown>): Promise<void> {
  const { event, lock } = (await queue.get()) as { event: SharedEvent; lock: SharedLock };
  await lock.acquire();
  event.set();
}

export async function echo(end: SharedConnection<unknown>): Promise<number> {
  let messages = 0;
  for await (const message of end) {
    messages++;
    await end.send(message);
  }
  return messages;
}

/** Keeps its end. */
export async function receive(end: SharedConnection<number>): Promise<number> {
  return (await end.poll()) ? 1 : 0;
}

export function takeAll(queue: SharedQueue<unknown>): unknown[] {
  const items: unknown[] = [];
  while (!queue.empty()) items.push(queue.getSync());
  return items;
}
