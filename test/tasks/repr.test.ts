import assert from 'node:assert/strict';
import { it } from 'node:test';
import { argsRepr, kwargsRepr } from '../../src/tasks/repr.ts';

it('arguments look as Python prints them', () => {
  assert.equal(argsRepr([]), '()');
  assert.equal(argsRepr([2]), '(2,)');
  assert.equal(
    argsRepr([1, 'a', null, true, 1.5, [1, { k: "it's" }]]),
    `(1, 'a', None, True, 1.5, [1, {'k': "it's"}])`,
  );
  assert.equal(argsRepr([10n, Number.NaN, -Infinity, 'a\nb\\']), String.raw`(10, nan, -inf, 'a\nb\\')`);
  assert.equal(kwargsRepr({}), '{}');
});

it('they stay short, however long or deep the values are', () => {
  assert.ok(argsRepr(['x'.repeat(1e6)]).length <= 1024);
  assert.ok(argsRepr([Array.from({ length: 1e5 }, (_, i) => i)]).length <= 1024);
  assert.equal(argsRepr([[[[[1]]]]]), '([[[...]]],)');
});
