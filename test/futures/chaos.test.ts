import { test } from 'node:test';
import { chaos } from './chaos.ts';
import { kinds } from './kinds.ts';

for (const [kind, make] of kinds) {
  test(`${kind}: every one of many calls ends once, as it must, while workers die`, async () => {
    await using pool = make({ grace: 0.01 });
    await chaos(pool, 20_000, 7, 9);
  });
}
