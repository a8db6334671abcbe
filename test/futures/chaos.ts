import assert from 'node:assert/strict';
import { seeded } from '../../src/base/virtual-clock.ts';
import { deferred } from '../../src/base/deferred.ts';
import type { Future, SubmitOptions } from '../../src/entry/futures.ts';
import { CancelledError, TimeoutError, WorkerLostError } from '../../src/entry/futures.ts';
import { die, dieSoon, fail, later, never, plain } from './jobs.ts';
import type { AnyPool } from './kinds.ts';

type Sort = 'plain' | 'later' | 'fail' | 'cancel' | 'never' | 'die' | 'dieSoon';

const outcomes: Record<Sort, (outcome: unknown, i: number) => boolean> = {
  plain: (outcome, i) => outcome === i,
  later: (outcome, i) => outcome === i,
  fail: (outcome) => outcome instanceof RangeError,
  cancel: (outcome, i) => outcome instanceof CancelledError || outcome === i,
  never: (outcome) => outcome instanceof TimeoutError,
  die: (outcome) => outcome instanceof WorkerLostError,
  dieSoon: (outcome) => outcome instanceof WorkerLostError,
};

/** Runs so many calls of all sorts, some of which kill their worker; every one must end once and as its sort must. */
export async function chaos(pool: AnyPool, calls: number, seed: number, ends: number): Promise<void> {
  const random = seeded(seed);
  const wrong: string[] = [];
  const tally = { submitted: 0, settled: 0, wrong };
  const windows = 2000;
  const all = deferred();
  let open = 0;
  let resume = () => {};
  for (let i = 0; i < calls; i++) {
    const sort = pick(random(), ends / calls);
    const future = submit(pool, sort, i);
    let times = 0;
    open++;
    tally.submitted++;
    future.look();
    future.addDoneCallback(() => {
      if (++tally.settled === calls) all.resolve();
      open--;
      if (++times !== 1) wrong.push(`${i} ${sort}: settled ${times} times`);
      if (!outcomes[sort](future.outcome(), i)) wrong.push(`${i} ${sort}: ${String(future.outcome())}`);
      if (open < windows / 2) resume();
    });
    if (sort === 'cancel') future.cancel();
    if (open >= windows) await new Promise<void>((resolve) => (resume = resolve));
  }
  await all.promise;
  assert.deepEqual(tally, { submitted: calls, settled: calls, wrong: [] }, `seed ${seed}`);
}

function submit(pool: AnyPool, sort: Sort, i: number): Future<unknown> {
  const short: SubmitOptions = { timeout: 0.02 };
  switch (sort) {
    case 'later':
      return pool.submit(later, i);
    case 'fail':
      return pool.submit(fail, i);
    case 'never':
      return pool.submitWith(short, never);
    case 'die':
      return pool.submit(die, 1);
    case 'dieSoon':
      return pool.submit(dieSoon);
    default:
      return pool.submit(plain, i);
  }
}

// `ends` is the part of calls that end their worker.
function pick(number: number, ends: number): Sort {
  if (number < ends / 3) return 'never';
  if (number < (ends * 2) / 3) return 'die';
  if (number < ends) return 'dieSoon';
  if (number < 0.01 + ends) return 'fail';
  if (number < 0.02 + ends) return 'later';
  return number < 0.05 + ends ? 'cancel' : 'plain';
}
