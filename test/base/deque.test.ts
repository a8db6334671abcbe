import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deque } from '../../src/base/deque.ts';
import { seeded } from '../../src/base/virtual-clock.ts';

test('any mixture of operations agrees with an array', () => {
  const random = seeded(3);
  const deque = new Deque<number>();
  const model: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const action = Math.floor(random() * (i % 4000 < 2000 ? 7 : 5));
    if (action === 0) assert.equal(deque.shift(), model.shift());
    else if (action === 1) assert.equal(deque.pop(), model.pop());
    else if (action === 2) {
      deque.unshift(i);
      model.unshift(i);
    } else if (action === 3 && random() < 0.5) assert.equal(deque.peek(), model[0]);
    else {
      deque.push(i);
      model.push(i);
    }
    assert.equal(deque.size, model.length);
    if (i % 997 === 0) assert.deepEqual([...deque], model);
  }
  assert.deepEqual([...deque], model);
});

test('it holds undefined as an item, and nothing when empty', () => {
  const deque = new Deque<number | undefined>();
  deque.push(undefined);
  assert.equal(deque.size, 1);
  assert.equal(deque.shift(), undefined);
  assert.equal(deque.size, 0);
  assert.equal(deque.shift(), undefined);
  assert.equal(deque.pop(), undefined);
  assert.equal(deque.peek(), undefined);
  assert.equal(deque.size, 0);
});

test('clear empties it and it can be used on', () => {
  const deque = new Deque<number>();
  for (let i = 0; i < 100; i++) deque.push(i);
  deque.clear();
  assert.deepEqual([...deque], []);
  deque.push(1);
  deque.unshift(0);
  assert.deepEqual([...deque], [0, 1]);
});
