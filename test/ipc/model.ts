import assert from 'node:assert/strict';
import { fromModule } from '../../src/callable/from-module.ts';
import type { Host } from '../../src/callable/host.ts';
import type { SharedBarrier } from '../../src/ipc/barrier.ts';
import type { SharedCondition } from '../../src/ipc/condition.ts';
import type { SharedLock } from '../../src/ipc/lock.ts';
import type { SharedQueue } from '../../src/ipc/queue.ts';
import type { SharedRLock } from '../../src/ipc/rlock.ts';
import type { SharedSemaphore } from '../../src/ipc/semaphore.ts';
import { RawArray } from '../../src/multiprocessing/array.ts';
import type { Item, ModelOptions } from './model-parties.ts';

const parties = fromModule<typeof import('./model-parties.js')>(new URL('./model-parties.js', import.meta.url));

export interface Run {
  readonly hosts: readonly Host[];
  readonly rounds: number;
  readonly patience: number;
  readonly seed: number;
}

const cells = () => new RawArray('int32', 4);

/** Never two inside, and no increment lost. */
export async function modelLock(lock: SharedLock, run: Run): Promise<void> {
  const shared = cells();
  const rounds = await all(run, (host, options) => host.call(parties.useLock, [lock, shared, options]));
  assert.equal(shared.get(1), sum(rounds));
  assert.equal(lock.locked(), false);
}

export async function modelRLock(lock: SharedRLock, run: Run): Promise<void> {
  const shared = cells();
  const rounds = await all(run, (host, options) => host.call(parties.useRLock, [lock, shared, options]));
  assert.equal(shared.get(1), sum(rounds));
  assert.equal(lock.locked(), false);
}

/** Never more inside than permits, all of which are back at the end. */
export async function modelSemaphore(semaphore: SharedSemaphore, permits: number, run: Run): Promise<void> {
  const shared = cells();
  await all(run, (host, options) => host.call(parties.useSemaphore, [semaphore, shared, permits, options]));
  assert.equal(semaphore.value, permits);
}

/** As much comes out as went in, and the store is never overfull nor below nothing. */
export async function modelCondition(condition: SharedCondition, run: Run): Promise<void> {
  const shared = cells();
  await all(run, (host, options, i) => {
    return host.call(i % 2 === 0 ? parties.produce : parties.consume, [condition, shared, options]);
  });
  assert.equal(shared.get(2), 0);
}

/** None goes on before all have come. */
export async function modelBarrier(barrier: SharedBarrier, run: Run): Promise<void> {
  const shared = cells();
  await all(run, (host, options) => host.call(parties.usePhases, [barrier, shared, run.hosts.length, options]));
}

/** Each item exactly once, those of one producer in its order. The first `consumers` hosts consume. */
export async function modelQueue(queue: SharedQueue<Item>, consumers: number, run: Run): Promise<void> {
  const takers = run.hosts.slice(0, consumers);
  const makers = run.hosts.slice(consumers);
  const taking = takers.map((host, i) => {
    const options = { rounds: 0, seed: run.seed + 100 + i, parties: 0, patience: run.patience };
    return host.call(parties.drain, [queue, makers.length, options]);
  });
  const filled = all({ ...run, hosts: makers }, (host, options, i) => host.call(parties.fill, [queue, i, options]));
  await Promise.all([filled.then(() => queue.shutdown()), ...taking]);
  const came = await Promise.all(taking);
  for (let producer = 0; producer < makers.length; producer++) {
    for (const one of came)
      assert.deepEqual(
        one[producer],
        one[producer]!.toSorted((a, b) => a - b),
        'out of order',
      );
    const numbers = came.flatMap((one) => one[producer]!).sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: run.rounds }, (_, number) => number),
    );
  }
}

function all<T>(
  { hosts, rounds, patience, seed }: Run,
  body: (host: Host, options: ModelOptions, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    hosts.map((host, i) => body(host, { rounds, patience, parties: hosts.length, seed: seed + i }, i)),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
