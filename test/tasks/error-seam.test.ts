import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { TimeoutError } from '../../src/base/errors.ts';
import { fromWireError, registerError, toWireError } from '../../src/tasks/error-seam.ts';
import { Retry, TaskRevokedError } from '../../src/tasks/errors.ts';

class NoStock extends Error {
  static pythonType = 'shop.errors.NoStock';
}

describe('errors on the wire', () => {
  it('carry class, message and module', () => {
    assert.deepEqual(toWireError(new TypeError('x')), {
      exc_type: 'TypeError',
      exc_message: ['x'],
      exc_module: 'builtins',
    });
    assert.deepEqual(toWireError(new RangeError('x')), {
      exc_type: 'RangeError',
      exc_message: ['x'],
      exc_module: 'simul',
    });
    assert.deepEqual(toWireError(new NoStock('7')), {
      exc_type: 'NoStock',
      exc_message: ['7'],
      exc_module: 'shop.errors',
    });
    assert.deepEqual(toWireError('text'), { exc_type: 'Error', exc_message: ['text'], exc_module: 'simul' });
    assert.equal(toWireError(new TaskRevokedError('expired')).exc_module, 'celery.exceptions');
    assert.equal(toWireError(new Retry()).exc_type, 'Retry');
  });

  it('come back as their class where it is known', () => {
    for (const error of [new TypeError('a'), new RangeError('b'), new TimeoutError('c'), new TaskRevokedError('d')]) {
      const back = fromWireError(toWireError(error), 'the stack there');
      assert.equal(back.constructor, error.constructor);
      assert.equal(back.message, error.message);
      assert.match(back.stack ?? '', /in the worker:\nthe stack there/);
    }
    assert.equal((fromWireError(toWireError(new TimeoutError('c')), null) as TimeoutError).code, 'SIMUL_TIMEOUT');
  });

  it('come back as registered classes from either side', () => {
    registerError(NoStock);
    assert.ok(
      fromWireError({ exc_type: 'NoStock', exc_message: ['7'], exc_module: 'shop.errors' }, null) instanceof NoStock,
    );
  });

  it('keep the name of a class that is not known', () => {
    const error = fromWireError({ exc_type: 'ValueError', exc_message: ['boom', 42], exc_module: 'builtins' }, null);
    assert.equal(error.name, 'ValueError');
    assert.equal(error.message, 'boom, 42');
    assert.equal(error.constructor, Error);
  });

  for (const document of [
    null,
    'text',
    7,
    [],
    {},
    { exc_type: 5, exc_message: null, exc_module: {} },
    { exc_type: '__proto__' },
  ]) {
    it(`are errors whatever the document holds: ${JSON.stringify(document)}`, () => {
      assert.ok(fromWireError(document, 5) instanceof Error);
    });
  }
});

test('a registered class that names itself in its constructor keeps its name', () => {
  class Late extends Error {
    constructor(message: string) {
      super(message);
      this.name = 'Late';
    }
  }
  registerError(Late);
  const back = fromWireError(toWireError(new Late('much')), null);
  assert.ok(back instanceof Late);
  assert.equal(back.name, 'Late');
  assert.match(back.stack ?? '', /^Late: much/);
});

test('only classes of errors are registered', () => {
  for (const cls of [5, () => {}, null, undefined]) assert.throws(() => registerError(cls as never), /cls: expected/);
});
