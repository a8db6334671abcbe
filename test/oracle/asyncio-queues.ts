import {
  createTask,
  EmptyError,
  FullError,
  gather,
  LifoQueue,
  PriorityQueue,
  Queue,
  sleep,
} from '../../src/entry/asyncio.ts';
import { outcome, run, say } from './trace.ts';

async function pipeline(): Promise<void> {
  const queue = new Queue<string>(2);
  const produce = (name: string, start: number) => async (): Promise<void> => {
    await sleep(start);
    for (let i = 0; i < 3; i++) {
      await queue.put(`${name}${i}`);
      await sleep(0.125);
      say('put', `${name}${i}`);
    }
  };
  const producers = [createTask(produce('a', 0.25)), createTask(produce('b', 0.5))];
  const consumer = createTask(async () => {
    for (let i = 0; i < 6; i++) {
      await sleep(1);
      say('got', await queue.get());
      queue.taskDone();
    }
  });
  await gather(producers);
  say('all put');
  await queue.join();
  say('joined');
  await consumer;
}

async function getters(): Promise<void> {
  const queue = new Queue<number>();
  const tasks = ['a', 'b', 'c'].map((name) => createTask(async () => say(name, await queue.get())));
  await sleep(1);
  tasks[1]!.cancel();
  await queue.put(1);
  await queue.put(2);
  for (const task of tasks) await outcome(task);
}

async function putters(): Promise<void> {
  const queue = new Queue<number>(1);
  await queue.put(0);
  const tasks = [1, 2, 3].map((item) => createTask(() => queue.put(item)));
  await sleep(1);
  tasks[1]!.cancel();
  await sleep(1);
  say('items', await queue.get(), await queue.get(), await queue.get(), queue.empty() ? 'empty' : '');
  for (const task of tasks) await outcome(task);
}

async function orders(): Promise<void> {
  for (const queue of [new Queue<number>(), new LifoQueue<number>(), new PriorityQueue<number>()]) {
    for (const item of [3, 1, 4, 1, 5]) queue.putNowait(item);
    say(...Array.from({ length: 5 }, () => queue.getNowait()));
  }
}

async function misuse(): Promise<void> {
  const queue = new Queue<number>(1);
  const attempt = (call: () => unknown): void => {
    try {
      call();
    } catch (error) {
      if (error instanceof EmptyError) say('empty');
      else if (error instanceof FullError) say('full');
      else say((error as Error).message);
    }
  };
  attempt(() => queue.getNowait());
  attempt(() => queue.putNowait(1));
  attempt(() => queue.putNowait(2));
  attempt(() => queue.taskDone());
  attempt(() => queue.taskDone());
}

await run({ pipeline, getters, putters, orders, misuse });
