import type { Timeout } from '../../src/entry/asyncio.ts';
import { createTask, currentTask, getRunningLoop, sleep, timeout, waitFor } from '../../src/entry/asyncio.ts';
import { outcome, run, say } from './trace.ts';

const yes = (value: boolean): string => (value ? 'yes' : 'no');

const work = (name: string, seconds: number) => async (): Promise<string> => {
  try {
    await sleep(seconds);
  } catch (error) {
    say(name, 'cancelled', currentTask()!.cancelling());
    throw error;
  }
  return name;
};

const limited = (limit: number | undefined, name: string, seconds: number): Promise<string> =>
  timeout(limit, work(name, seconds));

async function simple(): Promise<void> {
  say(await outcome(limited(2, 'fast', 1)));
  say(await outcome(limited(2, 'slow', 5)));
  say(await outcome(limited(undefined, 'ever', 5)));
  say(await outcome(limited(0, 'zero', 5)));
  say(currentTask()!.cancelling());
}

async function nested(): Promise<void> {
  const pair = (outer: number, inner: number, seconds: number): Promise<unknown> =>
    timeout(outer, async () => {
      try {
        await timeout(inner, work('body', seconds));
      } catch (error) {
        say('inner', (error as Error).name);
        throw error;
      }
      return 'None';
    });
  say('inner first', await outcome(pair(5, 1, 9)));
  say('outer first', await outcome(pair(1, 5, 9)));
  say('none', await outcome(pair(5, 5, 1)));
}

async function fromOutside(): Promise<void> {
  const task = createTask(() => limited(5, 'body', 9));
  await sleep(1);
  task.cancel();
  say(await outcome(task), yes(task.cancelled()));
}

async function both(): Promise<void> {
  const task = createTask(() =>
    timeout(1, async () => {
      try {
        await sleep(9);
      } finally {
        await sleep(5).catch(() => say('cleanup cancelled', currentTask()!.cancelling()));
      }
    }),
  );
  await sleep(2);
  task.cancel();
  say(await outcome(task));
}

async function swallowed(): Promise<void> {
  const swallow = timeout(1, async (_signal, scope: Timeout) => {
    await sleep(9).catch(() => say('swallowed', yes(scope.expired())));
    await sleep(1);
    return 'went on';
  });
  say(await outcome(swallow));
  await sleep(1);
  say('still here');
}

async function otherError(): Promise<void> {
  const fail = timeout(1, async () => {
    await sleep(9).catch(() => {
      throw new TypeError();
    });
  });
  say(await outcome(fail));
}

async function rescheduled(): Promise<void> {
  const move = timeout(1, async (_signal, scope) => {
    const loop = getRunningLoop();
    scope.reschedule(loop.time() + 3);
    await sleep(2);
    say('moved', scope.when());
    scope.reschedule(undefined);
    await sleep(10);
    scope.reschedule(loop.time() + 1);
    await sleep(9);
  });
  say(await outcome(move));
}

async function waitingFor(): Promise<void> {
  say(await outcome(waitFor(work('fast', 1), 2)));
  say(await outcome(waitFor(work('slow', 5), 2)));
  const late = createTask(work('task', 5));
  say(await outcome(waitFor(late, 2)), yes(late.cancelled()));
  const task = createTask(work('outer', 9));
  const waiting = createTask(() => waitFor(task, 20));
  await sleep(1);
  waiting.cancel();
  say(await outcome(waiting), yes(task.cancelled()));
}

await run({ simple, nested, fromOutside, both, swallowed, otherError, rescheduled, waitingFor });
