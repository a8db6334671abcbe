import { test } from 'node:test';
import { assertNothingLeft, census } from './census.ts';
import { kinds } from './kinds.ts';
import { storm } from './storm.ts';

for (const [kind, make] of kinds) {
  test(`${kind}: a storm of calls, cancellations, limits and kills leaves nothing behind`, async () => {
    const run = async (calls: number, seed: number) => {
      await using pool = make({ grace: 0.01 });
      await storm(pool, { calls, seed, ends: 4, kills: 4 });
    };
    // What is made once and kept (templates, caches, the pool of libuv) is there then.
    await run(2000, 1);
    const before = await census();
    await run(20_000, 2);
    await assertNothingLeft(before);
  });
}
