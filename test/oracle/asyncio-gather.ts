import { createTask, gather, getRunningLoop, shield, sleep } from '../../src/entry/asyncio.ts';
import { outcome, run, say } from './trace.ts';

const yes = (value: boolean): string => (value ? 'yes' : 'no');
const nap =
  <T>(seconds: number, value: T) =>
  () =>
    sleep(seconds, value);
const fail = (seconds: number) => async (): Promise<never> => {
  await sleep(seconds);
  say('fails', 'TypeError');
  throw new TypeError('TypeError');
};
const show = (values: readonly unknown[]): string =>
  values.map((value) => (value instanceof Error ? value.name : String(value))).join(' ');

async function results(): Promise<void> {
  say(show(await gather([nap(3, 'a'), nap(1, 'b'), nap(2, 'c')])));
  say('empty', show(await gather([])));
}

async function firstFailure(): Promise<void> {
  const other = createTask(nap(5, 'other'));
  say(await outcome(gather([fail(1), other, fail(2)])));
  say(await outcome(other));
}

async function returnExceptions(): Promise<void> {
  const cancelled = createTask(nap(5, 'x'));
  getRunningLoop().callLater(1, () => cancelled.cancel());
  say(show(await gather([fail(2), nap(1, 'ok'), cancelled], { returnExceptions: true })));
}

async function outerCancelled(): Promise<void> {
  for (const flag of [false, true]) {
    const children = [0, 1].map((i) => createTask(nap(5, i)));
    const task = createTask(async () => await gather(children, { returnExceptions: flag }));
    await sleep(1);
    task.cancel();
    say(await outcome(task), ...children.map((child) => yes(child.cancelled())));
  }
}

async function innerCancelled(): Promise<void> {
  const children = [0, 1].map((i) => createTask(nap(5, i)));
  const both = gather(children);
  await sleep(1);
  children[0]!.cancel();
  say(await outcome(both), yes(both.cancelled()));
  say(await outcome(children[1]!));
}

async function swallowingChild(): Promise<void> {
  const child = async (): Promise<unknown> => {
    try {
      return await sleep(5);
    } catch {
      say('swallowed');
      return sleep(1, 'kept');
    }
  };
  const both = gather([child, nap(5, 'b')]);
  await sleep(1);
  both.cancel();
  say(await outcome(both));
  await sleep(3);
}

async function shielding(): Promise<void> {
  let inner = createTask(nap(5, 'inner'));
  const task = createTask(async () => await shield(inner));
  await sleep(1);
  task.cancel();
  say(await outcome(task));
  say(await outcome(inner));
  inner = createTask(nap(5, 'inner'));
  const shielded = shield(inner);
  await sleep(1);
  inner.cancel();
  say(await outcome(shielded), yes(shielded.cancelled()));
}

await run({ results, firstFailure, returnExceptions, outerCancelled, innerCancelled, swallowingChild, shielding });
