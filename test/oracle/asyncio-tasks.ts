import {
  CancelledError,
  createTask,
  currentTask,
  gather,
  getRunningLoop,
  sleep,
  Task,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { outcome, run, say } from './trace.ts';

const yes = (value: boolean): string => (value ? 'yes' : 'no');

async function order(): Promise<void> {
  const work = async (name: string, delay: number): Promise<string> => {
    say(name, 'starts');
    await sleep(delay);
    say(name, 'ends');
    return name;
  };
  const plan: [string, number][] = [
    ['a', 3],
    ['b', 1],
    ['c', 1],
  ];
  const tasks = plan.map(([name, delay]) => createTask(() => work(name, delay)));
  say('created');
  for (const task of tasks) say('joined', await task);
}

async function yielding(): Promise<void> {
  const step = (name: string) => async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      say(name, i);
      await sleep(0);
    }
  };
  await gather([step('x'), step('y')]);
  getRunningLoop().callSoon(say, 'soon');
  await sleep(0);
  say('after');
}

async function cancelWaiting(): Promise<void> {
  const task = createTask(async () => {
    try {
      await sleep(10);
    } catch (error) {
      say('cancelled', (error as Error).message);
      throw error;
    } finally {
      await sleep(1);
      say('cleaned up');
    }
  });
  await sleep(2);
  say('cancel', yes(task.cancel('stop')));
  say(await outcome(task), yes(task.cancelled()));
  say('again', yes(task.cancel()));
}

async function cancelBeforeStart(): Promise<void> {
  const task = createTask(async () => say('never'));
  task.cancel();
  say(await outcome(task));
}

async function swallow(): Promise<void> {
  const task = createTask(async () => {
    for (let i = 0; i < 3; i++) {
      try {
        await sleep(10);
        say('slept', i);
      } catch (error) {
        if (error instanceof CancelledError) say('swallowed', i, currentTask()!.cancelling());
      }
    }
    return 'done';
  });
  await sleep(1);
  task.cancel();
  await sleep(1);
  task.cancel();
  task.cancel();
  say(await outcome(task), yes(task.cancelled()), task.cancelling());
  say('uncancel', task.uncancel(), task.uncancel(), task.uncancel(), task.uncancel());
}

async function cancelSelf(): Promise<void> {
  const task = createTask(async () => {
    currentTask()!.cancel();
    say('goes on');
    await sleep(1);
    say('never');
  });
  say(await outcome(task));
}

async function awaitChain(): Promise<void> {
  const inner = async (): Promise<unknown> => {
    try {
      return await sleep(10);
    } catch (error) {
      say('inner cancelled');
      throw error;
    }
  };
  const stubborn = async (): Promise<unknown> => {
    try {
      return await sleep(10);
    } catch {
      return 'kept';
    }
  };
  for (const make of [inner, stubborn]) {
    const task: Task<unknown> = createTask(make);
    const waiting = createTask(async () => await task);
    await sleep(1);
    waiting.cancel();
    say(await outcome(waiting), await outcome(task));
  }
}

async function callbacks(): Promise<void> {
  const task = createTask(async () => {
    say('work');
    return 1;
  });
  task.addDoneCallback((done) => say('callback', done.result()));
  task.addDoneCallback(() => say('second'));
  await task;
  await settled();
  task.addDoneCallback(() => say('late'));
  await settled();
}

async function leftBehind(): Promise<void> {
  const work = (name: string) => async (): Promise<void> => {
    try {
      await sleep(100);
    } finally {
      say(name, 'cleaned up');
    }
  };
  createTask(work('a'));
  await sleep(1);
  say('main ends');
}

await run({
  order,
  yielding,
  cancelWaiting,
  cancelBeforeStart,
  swallow,
  cancelSelf,
  awaitChain,
  callbacks,
  leftBehind,
});
