import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { methodsOf, precompile } from '../../src/os/precompile.ts';

test('functions are compiled without being called; native and bound ones, classes and what is none are passed over', () => {
  let called = 0;
  const plain = () => ++called;
  class Some {
    method(): number {
      return ++called;
    }
    get accessor(): number {
      return ++called;
    }
  }
  const own = [plain, methodsOf(Some.prototype)[1]];
  assert.deepEqual(own.map(isCompiled), [false, false]);
  precompile([plain, plain.bind(null), Math.max, undefined, Some, ...methodsOf(Some.prototype)]);
  assert.deepEqual(own.map(isCompiled), [true, true]);
  assert.equal(called, 0);
  assert.deepEqual([plain(), new Some().method(), new Some().accessor], [1, 2, 3]);
});

test("the syntax of V8's own tests is not left open", () => {
  precompile([() => {}]);
  // oxlint-disable-next-line no-implied-eval -- what must not work
  assert.throws(() => new Function('%CompileLazy(1)'), SyntaxError);
});

function isCompiled(fn: unknown): boolean {
  setFlagsFromString('--allow-natives-syntax');
  try {
    // oxlint-disable-next-line no-implied-eval -- the one way to ask
    return (new Function('fn', 'return %ActiveTierIsIgnition(fn)') as (fn: unknown) => boolean)(fn);
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}
