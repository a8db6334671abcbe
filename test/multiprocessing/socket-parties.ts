import type { Connection, JoinableQueue, Queue, SimpleQueue } from '../../src/entry/multiprocessing.ts';

export async function produce(queue: Queue<readonly [string, number]>, name: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await queue.put([name, n]);
}

export async function consume(queue: Queue<readonly [string, number]>, out: SimpleQueue<unknown>): Promise<void> {
  for await (const item of queue) await out.put(item);
  await out.put('end');
}

export async function work(jobs: JoinableQueue<number>): Promise<void> {
  for (;;) {
    await jobs.get();
    jobs.taskDone();
  }
}

export async function echo(end: Connection): Promise<void> {
  for await (const value of end) await end.send(value);
  end.close();
}

/** Hands its end on through a queue and keeps none. */
export async function handOn(end: Connection<string>, queue: Queue<Connection<string>>): Promise<void> {
  await queue.put(end);
  end.close();
}

export async function waitForItem(queue: Queue<string>, ready: SimpleQueue<string>): Promise<void> {
  const waiting = queue.get();
  await ready.put('waiting');
  await waiting;
}

export async function holdLock(lock: { acquire(): Promise<unknown> }, ready: SimpleQueue<string>): Promise<void> {
  await lock.acquire();
  await ready.put('held');
  await new Promise((resolve) => setTimeout(resolve, 1e9));
}

export async function limits(queue: Queue<number>): Promise<string[]> {
  const attempts = [() => queue.getSync(), () => queue.qsize(), () => queue.putNowait(1), () => queue.getNowait()];
  return attempts.map((attempt) => {
    try {
      return String(attempt());
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
}

export async function putForEver(queue: Queue<readonly [string, number]>, name: string): Promise<void> {
  for (let n = 0; ; n++) await queue.put([name, n]);
}

export async function takeForEver(queue: Queue<readonly [string, number]>, taken: SimpleQueue<unknown>): Promise<void> {
  for (;;) await taken.put(await queue.get());
}
