import {
  Barrier,
  BoundedSemaphore,
  Condition,
  createTask,
  Event,
  gather,
  Lock,
  Semaphore,
  sleep,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { outcome, run, say } from './trace.ts';

async function fairness(): Promise<void> {
  for (const lock of [new Lock(), new Semaphore(1), new BoundedSemaphore(1)]) {
    await lock.acquire();
    const visit = (name: string) => async (): Promise<void> => {
      await lock.acquire();
      try {
        say(name, 'in');
        await sleep(1);
      } finally {
        lock.release();
      }
      say(name, 'out');
    };
    const tasks = ['a', 'b', 'c', 'd'].map((name) => createTask(visit(name)));
    await sleep(1);
    tasks[1]!.cancel();
    lock.release();
    for (const task of tasks) await outcome(task);
    say(lock.locked() ? 'locked' : 'free');
  }
}

async function permits(): Promise<void> {
  const slots = new Semaphore(2);
  const visit = (name: string) => () =>
    slots.run(async () => {
      say(name, 'in');
      await sleep(1);
    });
  await gather(['a', 'b', 'c', 'd', 'e'].map(visit));
}

async function misuse(): Promise<void> {
  const calls = [() => new Lock().release(), () => new BoundedSemaphore(1).release(), () => new Condition().notify()];
  for (const call of calls) {
    try {
      call();
    } catch (error) {
      say((error as Error).message);
    }
  }
}

async function events(): Promise<void> {
  const event = new Event();
  const wait = (name: string) => async (): Promise<void> => {
    await event.wait();
    say(name, 'woken');
  };
  const tasks = ['a', 'b', 'c'].map((name) => createTask(wait(name)));
  await sleep(1);
  tasks[1]!.cancel();
  event.set();
  event.clear();
  for (const task of tasks) await outcome(task);
  say(event.isSet() ? 'set' : 'clear');
  event.set();
  say('passes', (await event.wait()) ? 'True' : 'False');
}

async function conditions(): Promise<void> {
  const condition = new Condition();
  const wait = (name: string) => () =>
    condition.run(async () => {
      await condition.wait();
      say(name, 'notified');
    });
  const tasks = ['a', 'b', 'c', 'd'].map((name) => createTask(wait(name)));
  await sleep(1);
  tasks[1]!.cancel();
  await sleep(1);
  await condition.run(() => {
    condition.notify(2);
    say('notified two');
  });
  await sleep(1);
  await condition.run(() => condition.notifyAll());
  for (const task of tasks) await outcome(task);
  say(condition.locked() ? 'locked' : 'free');
}

async function predicate(): Promise<void> {
  const condition = new Condition();
  const stock: number[] = [];
  const task = createTask(() => condition.run(async () => say('got', await condition.waitFor(() => stock.length))));
  for (const item of [0, 1]) {
    await sleep(1);
    await condition.run(() => {
      if (item > 0) stock.push(item);
      condition.notify();
    });
  }
  await task;
}

async function barriers(): Promise<void> {
  const barrier = new Barrier(3);
  const state = (): string => (barrier.broken ? 'broken' : 'whole');
  const come = (name: string, seconds: number) => async (): Promise<number> => {
    await sleep(seconds);
    say(name, await barrier.wait());
    await sleep(1);
    return barrier.wait();
  };
  const places = await gather([come('a', 2), come('b', 1), come('c', 3)]);
  say(new Set(places).size === 3 ? 'True' : 'False');
  let waiting = createTask(() => barrier.wait());
  await settled();
  say('waiting', barrier.nWaiting);
  waiting.cancel();
  await settled();
  say('waiting', barrier.nWaiting, state());
  waiting = createTask(() => barrier.wait());
  await settled();
  barrier.abort();
  say(await outcome(waiting), await outcome(barrier.wait()), state());
  barrier.reset();
  waiting = createTask(() => barrier.wait());
  await settled();
  barrier.reset();
  say(await outcome(waiting), state());
}

await run({ fairness, permits, misuse, events, conditions, predicate, barriers });
