import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as errors from '../../src/base/errors.ts';
import { errorListFaults } from '../../tools/guard/error-list.ts';
import { repository } from '../../tools/tree.ts';

const made: Record<string, Error> = {
  TimeoutError: new errors.TimeoutError('x', { timeout: 3 }),
  CancelledError: new errors.CancelledError(),
  ClosedError: new errors.ClosedError(),
  BrokenError: new errors.BrokenError(),
  FullError: new errors.FullError('full', { item: 7 }),
  EmptyError: new errors.EmptyError(),
  InvalidArgumentError: new errors.InvalidArgumentError('n', -1, '0 or more'),
  InvalidStateError: new errors.InvalidStateError('x'),
  UnsupportedError: new errors.UnsupportedError('x'),
  MissingLibraryError: new errors.MissingLibraryError('redis', 'the Redis broker'),
  EncodeError: new errors.EncodeError('args[0]', 'a function'),
  DecodeError: new errors.DecodeError('x'),
  ConnectionError: new errors.ConnectionError('x'),
  NotFoundError: new errors.NotFoundError('x'),
  SystemError: new errors.SystemError('ENOENT', 2, 'open', { path: '/x' }),
  SSLError: new errors.SSLError('x', { reason: 'WRONG_VERSION_NUMBER' }),
  SSLCertVerificationError: new errors.SSLCertVerificationError('x', { verifyCode: 10, verifyMessage: 'expired' }),
  SSLEOFError: new errors.SSLEOFError('x'),
  SimulError: new errors.SimulError('SIMUL_BROKEN', 'x'),
};

test('docs/errors.md and the code have the same codes', () => {
  assert.deepEqual(errorListFaults(repository), []);
});

test('the list of codes is sorted and without repetition', () => {
  assert.deepEqual([...new Set(errors.errorCodes)].sort(), [...errors.errorCodes]);
});

test('every class is an Error and a SimulError with its own name and a code', () => {
  const classes = Object.entries(errors).filter(([name]) => name.endsWith('Error'));
  for (const [name] of classes) {
    const error = made[name];
    assert.ok(error instanceof errors.SimulError, `${name} is not made in this test`);
    assert.equal(error.name, name);
    assert.equal(String(error), `${name}: ${error.message}`);
    assert.ok(!error.message.includes('\n'));
    assert.ok(!Object.keys(error).includes('name'), 'the name is no field');
    if (name !== 'SystemError') assert.ok((errors.errorCodes as readonly string[]).includes(error.code), error.code);
  }
});

test('fields and messages', () => {
  assert.equal((made['TimeoutError'] as errors.TimeoutError).timeout, 3);
  assert.equal((made['FullError'] as errors.FullError).item, 7);
  assert.equal(made['MissingLibraryError']!.message, 'the Redis broker needs the package "redis": npm install redis');
  assert.equal(made['EncodeError']!.message, 'cannot serialise args[0]: a function');
  const { code, errno, syscall, path, message } = made['SystemError'] as errors.SystemError;
  assert.deepEqual([code, errno, syscall, path], ['ENOENT', 2, 'open', '/x']);
  assert.equal(message, `ENOENT: system call failed, open '/x'`);
});

test('a cause is kept, and is no field when none was given', () => {
  const cause = new Error('beneath');
  assert.equal(new errors.BrokenError('x', { cause }).cause, cause);
  assert.equal(Object.hasOwn(new errors.TimeoutError('x', { timeout: 1 }), 'cause'), false);
});

test('an option error shows what it received, whatever that is', () => {
  const shown = (received: unknown) =>
    new errors.InvalidArgumentError('x', received, 'y').message.replace('x: expected y, received ', '');
  for (const [received, text] of [
    ['a', '"a"'],
    ['x'.repeat(200), `"${'x'.repeat(97)}..."`],
    [5n, '5n'],
    [Symbol('s'), 'Symbol(s)'],
    [function named() {}, 'function named'],
    [() => {}, 'function (anonymous)'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Number.NaN, 'NaN'],
    [[1, 2], 'an array of 2'],
    [new Map(), 'a Map'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
  ] as const) {
    assert.equal(shown(received), text);
  }
});
