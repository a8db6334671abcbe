import { test } from 'node:test';
import { assertNothingLeft, census } from './census.ts';
import { imapStorm } from './imap-storm.ts';
import { kinds, poolKinds } from './kinds.ts';
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

for (const [kind, make] of poolKinds) {
  test(`${kind}: a storm of iterators read, left, and dropped leaves nothing behind`, async () => {
    await imapStorm(make(2), { iterators: 20, seed: 1, kills: 2 });
    const before = await census();
    await imapStorm(make(2), { iterators: 300, seed: 2, kills: 10 });
    await imapStorm(make(2, { maxQueue: 5 }), { iterators: 100, seed: 3, kills: 0 });
    await assertNothingLeft(before);
  });
}
