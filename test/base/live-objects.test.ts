import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LiveObjects } from '../../src/base/live-objects.ts';

test('gives the objects that others hold, and keeps nothing of the rest', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const live = new LiveObjects<{ n: number }>();
  const held = { n: 0 };
  live.add(held);
  for (let n = 1; n <= 1000; n++) live.add({ n });
  assert.equal(live.size, 1001);
  for (let turn = 0; turn < 100 && live.size > 1; turn++) {
    gc();
    await new Promise(setImmediate); // finalizers run between turns
  }
  assert.equal(live.size, 1);
  assert.deepEqual([...live], [held]);
});
