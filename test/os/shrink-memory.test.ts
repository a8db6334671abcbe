import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shrinkMemory } from '../../src/os/shrink-memory.ts';

test('garbage is given back to the system; once', async () => {
  let held: unknown[] = Array.from({ length: 400_000 }, (_, i) => ({ i }));
  const before = process.memoryUsage();
  assert.equal(held.length, 400_000);
  held = [];
  await shrinkMemory();
  const after = process.memoryUsage();
  assert.ok(after.heapTotal < before.heapTotal - 15e6, `${before.heapTotal} to ${after.heapTotal} bytes of heap`);
  assert.ok(after.rss < before.rss - 10e6, `${before.rss} to ${after.rss} bytes in memory`);
  assert.equal(shrinkMemory(), shrinkMemory());
});
