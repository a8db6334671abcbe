import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError, SystemError, TimeoutError } from '../../src/base/errors.ts';
import type { PackedError } from '../../src/callable/packed-error.ts';
import { packError, unpackError } from '../../src/callable/packed-error.ts';

function cross(error: unknown): unknown {
  return unpackError(structuredClone(packError(error)), { from: 'thread 1' });
}

test('built-in errors come back as their class', () => {
  const classes = [Error, TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError];
  for (const Class of classes) {
    const error = cross(new Class('no')) as Error;
    assert.equal(Object.getPrototypeOf(error), Class.prototype);
    assert.equal(error.message, 'no');
    assert.equal(error.name, Class.name);
    assert.deepEqual(Object.keys(error), []);
  }
});

test("Simul's errors come back as their class with their fields", () => {
  const invalid = cross(new InvalidArgumentError('n', -1, 'a positive number'));
  assert(invalid instanceof InvalidArgumentError);
  assert.equal(invalid.code, 'SIMUL_INVALID_ARGUMENT');
  assert.equal(invalid.argument, 'n');
  assert.equal(invalid.received, -1);
  const system = cross(new SystemError('ENOENT', 2, 'open', { path: '/x' }));
  assert(system instanceof SystemError);
  assert.deepEqual([system.code, system.errno, system.syscall, system.path], ['ENOENT', 2, 'open', '/x']);
});

test('an unknown class keeps its name and its nearest known base', () => {
  class ParseError extends SyntaxError {
    readonly line = 4;
  }
  const error = cross(new ParseError('bad'));
  assert(error instanceof SyntaxError);
  assert.equal(error.name, 'ParseError');
  assert.equal((error as ParseError).line, 4);
  assert.equal(String(error), 'ParseError: bad');
});

test('an equal name does not make a foreign class ours', () => {
  const foreign = class TimeoutError extends Error {};
  const error = cross(new foreign('late')) as Error;
  assert(!(error instanceof TimeoutError));
  assert.equal(error.name, 'TimeoutError');
});

test('cause, errors and fields cross; what cannot be cloned becomes text', () => {
  const inner = new AggregateError([new RangeError('one'), 'two'], 'both');
  const error = cross(
    Object.assign(new Error('outer', { cause: inner }), { code: 'E_X', data: { list: [1n] }, callback() {} }),
  ) as Error & { code: string; data: unknown; callback: unknown };
  assert.equal(error.code, 'E_X');
  assert.deepEqual(error.data, { list: [1n] });
  assert.equal(error.callback, '[Function: callback]');
  assert(error.cause instanceof AggregateError);
  assert(error.cause.errors[0] instanceof RangeError);
  assert.equal(error.cause.errors[1], 'two');
  assert.equal(Object.prototype.propertyIsEnumerable.call(error, 'cause'), false);
});

test('an undefined cause is a cause, and none is none', () => {
  assert('cause' in (cross(new Error('x', { cause: undefined })) as Error));
  assert(!('cause' in (cross(new Error('x')) as Error)));
});

test('DOMException crosses with name and code', () => {
  const error = cross(new DOMException('stop', 'AbortError'));
  assert(error instanceof DOMException);
  assert.deepEqual([error.name, error.message, error.code], ['AbortError', 'stop', 20]);
});

test('cyclic and endless causes end', () => {
  const cyclic = new Error('loop');
  cyclic.cause = cyclic;
  let depth = 0;
  for (let at: unknown = cross(cyclic); at instanceof Error; at = at.cause) depth++;
  assert(depth > 1 && depth < 20, `${depth} levels`);
});

test('getters that throw and hostile keys do no harm', () => {
  const error = new Error('trap');
  Object.defineProperty(error, 'bad', {
    enumerable: true,
    get() {
      throw new Error('gotcha');
    },
  });
  Object.defineProperty(error, '__proto__', { enumerable: true, value: { polluted: true } });
  const back = cross(error) as Error & { bad: string; polluted?: boolean };
  assert.match(back.bad, /^\(unreadable: .*gotcha/s);
  assert.equal(back.polluted, undefined);
  assert(back instanceof Error);
});

test('thrown values that are no errors come back as they are', () => {
  for (const value of ['text', 3, null, undefined, { a: [1] }]) assert.deepEqual(cross(value), value);
  assert.equal(cross(Symbol('s')), 'Symbol(s)');
});

test('the remote stack stands below the local one', () => {
  const packed = packError(new RangeError('far')) as PackedError & { kind: 'error' };
  const error = unpackError(packed, { from: 'process 7', stack: 'Error\n    at here (main.js:1:1)' }) as Error;
  const lines = error.stack!.split('\n');
  assert.deepEqual(lines.slice(0, 3), ['RangeError: far', '    at here (main.js:1:1)', '    --- in process 7 ---']);
  assert.match(lines[3]!, /^ {4}at .*packed-error\.test\.[jt]s/);
});
