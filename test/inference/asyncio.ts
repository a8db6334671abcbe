// Compiled with the rest: a line marked @ts-expect-error that does compile fails the build.
import type { Future, Task } from '../../src/entry/asyncio.ts';
import {
  asCompleted,
  createTask,
  gather,
  PriorityQueue,
  Queue,
  shield,
  sleep,
  TaskGroup,
  timeout,
  wait,
  waitFor,
} from '../../src/entry/asyncio.ts';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- comparing two generic functions is what makes types equal, not just assignable
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

export async function infers(): Promise<void> {
  const task = createTask(async () => 1);
  same<typeof task, Task<number>>(true);
  same<Awaited<typeof task>, number>(true);

  const both = gather([task, () => 'text', Promise.resolve(true)]);
  same<typeof both, Future<[number, string, boolean]>>(true);
  const kept = await gather([task, async () => 'text'], { returnExceptions: true });
  same<typeof kept, [number | Error, string | Error]>(true);
  const list = await gather([1, 2].map((i) => () => sleep(i, String(i))));
  same<typeof list, string[]>(true);

  const [done] = await wait([task]);
  same<typeof done, Set<Task<number>>>(true);
  for await (const value of asCompleted([task])) same<typeof value, number>(true);
  const waited = await waitFor(() => sleep(1, 'x'), 1);
  same<typeof waited, string>(true);
  const shielded = shield(task);
  same<typeof shielded, Future<number>>(true);

  const limited = await timeout(1, async (signal, scope) => [signal.aborted, scope.when()] as const);
  same<typeof limited, readonly [boolean, number | undefined]>(true);
  const tasks = await TaskGroup.run((group) => [group.createTask(() => 5)]);
  same<typeof tasks, Task<number>[]>(true);
  const nothing = await sleep(1);
  same<typeof nothing, void>(true);

  const queue = new Queue<string>();
  for await (const item of queue) same<typeof item, string>(true);
}

export async function refuses(): Promise<void> {
  // @ts-expect-error a promise runs already
  createTask(Promise.resolve(1));
  // @ts-expect-error a group takes functions too
  await TaskGroup.run((group) => group.createTask(sleep(1)));
  // @ts-expect-error not awaitable
  await gather([1]);
  // @ts-expect-error wait takes tasks and promises
  await wait([() => 1]);
  // @ts-expect-error no such mode
  await wait([sleep(1)], { returnWhen: 'SOON' });
  // @ts-expect-error a queue of strings
  await new Queue<string>().put(5);
  new PriorityQueue<{ at: number }>(0, (a, b) => a.at - b.at).putNowait({ at: 1 });
}
