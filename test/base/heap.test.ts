import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heap } from '../../src/base/heap.ts';
import { seeded } from '../../src/base/virtual-clock.ts';

interface Item {
  readonly key: number;
  readonly order: number;
}

test('items leave in order, equal ones as they came', () => {
  const random = seeded(7);
  const heap = new Heap<Item>((a, b) => a.key - b.key);
  const items = Array.from({ length: 2000 }, (_, order) => ({ key: Math.floor(random() * 50), order }));
  for (const item of items) heap.push(item);
  const expected = items.toSorted((a, b) => a.key - b.key || a.order - b.order);
  assert.deepEqual(drain(heap), expected);
});

test('pushes, pops and removals in any mixture agree with a sorted list', () => {
  const random = seeded(8);
  const heap = new Heap<Item>((a, b) => a.key - b.key);
  let model: Item[] = [];
  for (let order = 0; order < 5000; order++) {
    const action = random();
    if (action < 0.5) {
      const item = { key: Math.floor(random() * 20), order };
      heap.push(item);
      model.push(item);
      model.sort((a, b) => a.key - b.key || a.order - b.order);
    } else if (action < 0.8) {
      assert.equal(heap.peek(), model[0]);
      assert.equal(heap.pop(), model.shift());
    } else if (model.length > 0) {
      const victim = model[Math.floor(random() * model.length)]!;
      assert.equal(heap.remove(victim), true);
      assert.equal(heap.remove(victim), false);
      model = model.filter((item) => item !== victim);
    }
    assert.equal(heap.size, model.length);
  }
  assert.deepEqual(drain(heap), model);
});

test('an empty heap gives nothing', () => {
  const heap = new Heap<number>((a, b) => a - b);
  assert.equal(heap.pop(), undefined);
  assert.equal(heap.peek(), undefined);
  assert.deepEqual([...heap], []);
});

test('a comparison that throws, at whichever step, leaves everything as it was', () => {
  const random = seeded(9);
  let comparisons = Infinity;
  let thrown = 0;
  const heap = new Heap<Item>((a, b) => {
    if (comparisons-- > 0) return a.key - b.key;
    thrown++;
    throw new Error('no order');
  });
  const failing = (after: number, act: () => void): void => {
    const before = [...heap];
    comparisons = after;
    const others = thrown;
    try {
      act();
    } catch (error) {
      assert.equal((error as Error).message, 'no order');
    }
    comparisons = Infinity;
    if (thrown > others) assert.deepEqual([...heap], before, `after ${after} comparisons`);
    else if (act === pop) heap.push(popped!);
    else heap.remove(least);
  };
  const least = { key: -1, order: 1000 };
  let popped: Item | undefined;
  const pop = (): void => void (popped = heap.pop());
  for (let order = 0; order < 100; order++) {
    heap.push({ key: Math.floor(random() * 50), order });
    for (let after = 0; after < 5; after++) {
      failing(after, () => heap.push(least));
      failing(after, pop);
    }
  }
  assert.ok(thrown > 900, `${thrown} failures tried`);
  const keys = drain(heap).map(({ key }) => key);
  assert.deepEqual(
    keys,
    keys.toSorted((a, b) => a - b),
  );
  assert.equal(keys.length, 100);
});

function drain<T>(heap: Heap<T>): T[] {
  const out: T[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) out.push(item);
  return out;
}
