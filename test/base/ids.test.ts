import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reseedIds, uuid } from '../../src/base/ids.ts';

test('ids are version 4 UUIDs in lower case, all distinct, also after reseeding', () => {
  const ids = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    const id = uuid();
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    ids.add(id);
    if (i % 1000 === 0) reseedIds();
  }
  assert.equal(ids.size, 20_000);
});

test('all free bits vary', () => {
  const seen = Array.from({ length: 36 }, () => new Set<string>());
  for (let i = 0; i < 2000; i++) for (const [at, c] of uuid().split('').entries()) seen[at]!.add(c);
  const counts = seen.map((set) => set.size);
  for (const [at, count] of counts.entries()) {
    const expected = at === 8 || at === 13 || at === 18 || at === 23 || at === 14 ? 1 : at === 19 ? 4 : 16;
    assert.equal(count, expected, `position ${at}`);
  }
});
