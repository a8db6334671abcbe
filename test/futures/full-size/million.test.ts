import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { chaos } from '../chaos.ts';
import { kinds } from '../kinds.ts';

for (const [kind, make] of kinds) {
  test(`${kind}: a million calls with failures, cancellations, timeouts and dying workers`, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    t.diagnostic(`seed ${seed}`);
    const run = async (calls: number) => {
      await using pool = make({ grace: 0.01 });
      await chaos(pool, calls, seed, 45);
    };
    await run(10_000);
    const descriptors = readdirSync('/proc/self/fd').length;
    await run(1_000_000);
    while (readdirSync('/proc/self/fd').length > descriptors) await new Promise(setImmediate);
    assert.ok(process.listenerCount('exit') < 10);
  });
}
