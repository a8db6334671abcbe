import type { Task } from '../../src/entry/asyncio.ts';
import { sleep } from '../../src/entry/asyncio.ts';

/** Lets other things happen until the task waits for something that the library knows, named so if that is given. */
export async function untilWaiting(task: Task<unknown>, what = /^(?!its start|something outside)/): Promise<void> {
  await until(() => what.test(task.waitsFor));
}

/** Lets other things happen until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(0);
}
