import { createTask, currentTask, sleep, Task, TaskGroup, TaskGroupError, timeout } from '../../src/entry/asyncio.ts';
import { outcome, run, say } from './trace.ts';

const work = (name: string, seconds: number, ending?: 'fail' | 'fail late') => async (): Promise<string> => {
  try {
    await sleep(seconds);
  } catch (error) {
    say(name, 'cancelled');
    if (ending === 'fail late') throw new TypeError(name, { cause: error });
    throw error;
  }
  say(name, 'ends');
  if (ending === 'fail') throw new TypeError(name);
  return name;
};

async function caught(awaitable: PromiseLike<unknown>): Promise<void> {
  try {
    say('result', await awaitable);
  } catch (error) {
    if (error instanceof TaskGroupError)
      say('group', ...error.errors.map((each: Error) => `${each.name}(${each.message})`));
    else say('error', (error as Error).name);
  }
}

async function plain(): Promise<void> {
  let a!: Task<string>;
  await TaskGroup.run((group) => {
    a = group.createTask(work('a', 2));
    group.createTask(work('b', 1));
    say('body ends');
  });
  say('joined', a.result());
}

async function failing(): Promise<void> {
  const body = TaskGroup.run(async (group) => {
    group.createTask(work('a', 1, 'fail'));
    group.createTask(work('b', 9, 'fail late'));
    group.createTask(work('c', 9));
    await work('body', 9)();
  });
  await caught(body);
  say(currentTask()!.cancelling());
}

async function failingBody(): Promise<void> {
  const body = TaskGroup.run(async (group) => {
    group.createTask(work('a', 9));
    await sleep(1);
    throw new TypeError('body');
  });
  await caught(body);
}

async function whileJoining(): Promise<void> {
  const body = TaskGroup.run((group) => {
    group.createTask(work('a', 1, 'fail'));
    group.createTask(work('b', 9));
  });
  await caught(body);
}

async function cancelledChild(): Promise<void> {
  const body = TaskGroup.run(async (group) => {
    const child = group.createTask(work('a', 9));
    group.createTask(work('b', 3));
    await sleep(1);
    child.cancel();
    return 'fine';
  });
  await caught(body);
}

async function cancelledOutside(): Promise<void> {
  const body = (seconds: number) => () =>
    TaskGroup.run(async (group) => {
      group.createTask(work('a', 9));
      group.createTask(work('b', 9));
      await sleep(seconds);
    });
  for (const seconds of [0, 9]) {
    const task = createTask(body(seconds));
    await sleep(1);
    task.cancel();
    await caught(task);
    say(task.cancelled() ? 'yes' : 'no');
  }
}

async function nested(): Promise<void> {
  const inner = (): Promise<void> =>
    TaskGroup.run((group) => {
      group.createTask(work('leaf', 1, 'fail'));
      group.createTask(work('twig', 9));
    });
  const outer = TaskGroup.run((group) => {
    group.createTask(inner);
    group.createTask(work('other', 9));
  });
  await outer.catch((error: TaskGroupError) => {
    const [first] = error.errors as [TaskGroupError];
    say(error.errors.length, first.errors.length, (first.errors[0] as Error).message);
  });
}

async function underTimeout(): Promise<void> {
  const body = timeout(2, () =>
    TaskGroup.run(async (group) => {
      group.createTask(work('a', 9));
      await work('body', 9)();
    }),
  );
  say(await outcome(body));
}

async function lateTasks(): Promise<void> {
  await TaskGroup.run((group) => {
    group.createTask(async () => {
      await sleep(1);
      group.createTask(work('late', 1));
    });
  });
  say('joined');
}

await run({
  plain,
  failing,
  failingBody,
  whileJoining,
  cancelledChild,
  cancelledOutside,
  nested,
  underTimeout,
  lateTasks,
});
