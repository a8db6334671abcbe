import assert from 'node:assert/strict';
import { seeded } from '../../src/base/virtual-clock.ts';
import type { Pool, ThreadPool } from '../../src/entry/futures.ts';
import { WorkerLostError } from '../../src/entry/futures.ts';
import { die, picky } from './jobs.ts';

export interface ImapStorm {
  /** How many iterators there are, at most ten at a time. */
  readonly iterators: number;
  readonly seed: number;
  /** About so many workers that die, of what else they run. */
  readonly kills: number;
}

/** Iterators of every sort, read to the end, left on the way or dropped, while workers die: each item comes once, or its worker was lost. */
export async function imapStorm(pool: Pool | ThreadPool, { iterators, seed, kills }: ImapStorm): Promise<void> {
  const random = seeded(seed);
  let [begun, killed] = [0, 0];
  const reader = async () => {
    while (begun < iterators) {
      begun++;
      if (random() < kills / iterators) {
        killed++;
        await assert.rejects(pool.apply(die, [1]), WorkerLostError);
      }
      await read(pool, random);
    }
  };
  const readers = await Promise.allSettled(Array.from({ length: 10 }, reader));
  for (const end of readers) if (end.status === 'rejected') throw new Error(`seed ${seed}`, { cause: end.reason });
  assert.ok(kills === 0 || killed > 0);
  // What nobody reads any more does not keep the pool from its end.
  pool.close();
  await pool.join();
}

async function read(pool: Pool | ThreadPool, random: () => number): Promise<void> {
  const [items, chunksize, ordered] = [Math.floor(random() * 3000), 1 + Math.floor(random() * 50), random() < 0.5];
  const source = random() < 0.5 ? numbers(items) : numbersLater(items);
  const results = pool[ordered ? 'imap' : 'imapUnordered'](picky, source, { chunksize });
  const most = random() < 0.3 ? Math.floor(random() * items) : Infinity;
  const seen = new Set<number>();
  let failed = 0;
  let last = -1;
  while (seen.size < most) {
    const step = await results.next().catch((error: unknown) => {
      assert.ok(error instanceof RangeError || error instanceof WorkerLostError, String(error));
      failed++;
    });
    if (step === undefined) continue;
    if (step.done === true) break;
    assert.ok(!seen.has(step.value), `${step.value} comes twice`);
    assert.ok(!ordered || step.value > last, `${step.value} comes after ${last}`);
    seen.add((last = step.value));
  }
  if (most < Infinity && random() < 0.5) await results.return!();
  if (most < Infinity) return;
  assert.ok(failed <= Math.ceil(items / chunksize), `${failed} of ${items} in chunks of ${chunksize} failed`);
  assert.ok(seen.size >= items - failed * chunksize, `${seen.size} of ${items} came, ${failed} chunks failed`);
}

function* numbers(most: number): Generator<number> {
  for (let i = 0; i < most; i++) yield i;
}

async function* numbersLater(most: number): AsyncGenerator<number> {
  for (let i = 0; i < most; i++) {
    if (i % 100 === 0) await new Promise(setImmediate);
    yield i;
  }
}
