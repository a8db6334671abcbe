import {
  ALL_COMPLETED,
  asCompleted,
  createTask,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  gather,
  sleep,
  Task,
  wait,
} from '../../src/entry/asyncio.ts';
import { outcome, run, say } from './trace.ts';

const nap =
  (name: string, seconds: number, fails = false) =>
  async (): Promise<string> => {
    await sleep(seconds);
    if (fails) throw new TypeError(name);
    return name;
  };
const make = (...plans: [string, number, boolean?][]): Task<string>[] =>
  plans.map((plan) => createTask(nap(...plan), { name: plan[0] }));
const names = (tasks: Iterable<Task<string>>): string =>
  [...tasks]
    .map((task) => task.name)
    .sort()
    .join() || 'none';

async function modes(): Promise<void> {
  for (const mode of [ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION] as const) {
    const tasks = make(['a', 1], ['b', 2, true], ['c', 3]);
    const [done, pending] = await wait(tasks, { returnWhen: mode });
    say(mode, names(done), names(pending));
    await gather(tasks, { returnExceptions: true });
  }
}

async function timeouts(): Promise<void> {
  const tasks = make(['a', 1], ['b', 5]);
  for (const timeout of [2, 0]) {
    const [done, pending] = await wait(tasks, { timeout });
    say(names(done), names(pending));
  }
}

async function cancelledWaiter(): Promise<void> {
  const tasks = make(['a', 5]);
  const waiter = createTask(() => wait(tasks));
  await sleep(1);
  waiter.cancel();
  say(await outcome(waiter), await outcome(tasks[0]!));
}

async function completed(): Promise<void> {
  for (const next of asCompleted(make(['a', 3], ['b', 1, true], ['c', 2]))) say(await outcome(next));
  for (const next of asCompleted(make(['a', 1], ['b', 5]), { timeout: 2 })) say(await outcome(next));
}

await run({ modes, timeouts, cancelledWaiter, completed });
