import { test } from 'node:test';
import { assertNothingLeft, census } from '../census.ts';
import { kinds } from '../kinds.ts';
import { storm } from '../storm.ts';

for (const [kind, make] of kinds) {
  test(`${kind}: a storm of a million calls leaves nothing behind`, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    t.diagnostic(`seed ${seed}`);
    const run = async (calls: number, kills: number) => {
      await using pool = make({ grace: 0.01 });
      await storm(pool, { calls, seed, ends: 20, kills });
    };
    await run(10_000, 4);
    const before = await census();
    await run(1_000_000, 50);
    await assertNothingLeft(before);
  });
}
