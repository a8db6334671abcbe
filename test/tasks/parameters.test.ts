import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bindArguments, parameterNames } from '../../src/tasks/parameters.ts';

describe('parameter names', () => {
  const cases: [(...args: never[]) => unknown, string[]][] = [
    [(x: number, y: number) => x + y, ['x', 'y']],
    [(x: number) => x, ['x']],
    [async (a: number, b = f(1, '),'), c = { d: [1] }) => [a, b, c], ['a', 'b', 'c']],
    [function named(first: number, ...rest: number[]) { return [first, rest]; }, ['first']], // prettier-ignore
    [({ a }: { a: number }) => a, []],
    [() => 1, []],
  ];
  for (const [fn, names] of cases) it(`of ${fn.toString()}`, () => assert.deepEqual(parameterNames(fn), names));

  // The formatter would give these sources the parentheses whose absence they test.
  /* oxlint-disable typescript/no-implied-eval */
  it('skips comments and reads an arrow without parentheses', () => {
    const fn = new Function('return a => a')() as (a: never) => unknown;
    assert.deepEqual(parameterNames(fn), ['a']);
    const commented = new Function('return (/* one, two */ a, // three\n b) => a')() as (a: never) => unknown;
    assert.deepEqual(parameterNames(commented), ['a', 'b']);
  });
  /* oxlint-enable typescript/no-implied-eval */
});

describe('keyword arguments', () => {
  it('go to the parameters of their names', () => {
    assert.deepEqual(bindArguments(['x', 'y', 'z'], [1], { z: 3, y: 2 }), [1, 2, 3]);
    assert.deepEqual(bindArguments(['x', 'y', 'z'], [1], { z: 3 }), [1, undefined, 3]);
  });

  it('are a last object where a name does not fit', () => {
    assert.deepEqual(bindArguments(['x'], [1], { verbose: true }), [1, { verbose: true }]);
    assert.deepEqual(bindArguments([], [], { a: 1 }), [{ a: 1 }]);
  });

  it('may not name a parameter that is given already', () => {
    assert.throws(() => bindArguments(['x', 'y'], [1], { x: 2 }), /multiple values for argument 'x'/);
  });
});

function f(...args: unknown[]): unknown {
  return args;
}
