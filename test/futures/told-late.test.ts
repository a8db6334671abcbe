import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transfer } from '../../src/callable/transfer.ts';
import { CancelledError } from '../../src/entry/futures.ts';
import { Event } from '../../src/entry/multiprocessing.ts';
import { invert, isTold, spin, waitFor } from './jobs.ts';
import { kinds } from './kinds.ts';

for (const [kind, make] of kinds) {
  test(`${kind}: a call that is told to stop when it has ended stops none that comes after it`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 60 });
    const next = {
      byRing: async () => assert.equal(await pool.submit(isTold), false),
      byMessage: async () => {
        const pixels = new Uint8Array(4);
        const inverted = await pool.submit(invert, transfer(pixels, [pixels.buffer]));
        assert.deepEqual(inverted, new Uint8Array(4).fill(255));
      },
    };
    for (const call of [next.byRing, next.byMessage]) {
      const [begun, go, abort] = [new Event(), new Event(), new AbortController()];
      const blocked = pool.submitWith({ signal: abort.signal }, waitFor, begun, go);
      await begun.wait();
      // The worker is blocked: it reads this when the call has ended.
      abort.abort();
      await assert.rejects(blocked.result(), CancelledError);
      go.set();
      while (pool.statistics().running > 0) await new Promise((resolve) => setImmediate(resolve));
      await call();
      await call();
    }
  });

  test(`${kind}: a worker that is being killed gets no more calls`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 0.01, concurrency: 2 });
    await pool.ready();
    const begun = new Event();
    const endless = pool.submit(spin, begun);
    await begun.wait();
    assert.equal(endless.cancel({ running: true }), true);
    // A timer of the same time, begun later, fires right behind the one that kills.
    const pixels = new Uint8Array(4);
    const call = new Promise((resolve) => {
      setTimeout(() => resolve(pool.submit(invert, transfer(pixels, [pixels.buffer]))), 10);
    });
    assert.deepEqual(await call, new Uint8Array(4).fill(255));
  });
}
