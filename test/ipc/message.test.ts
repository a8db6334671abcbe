import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EncodeError } from '../../src/base/errors.ts';
import { copyOut, encode } from '../../src/ipc/message.ts';
import { sized } from '../fixtures/program.ts';

test('values arrive as structured clones', () => {
  const values: unknown[] = [
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1,
    199,
    200,
    -1,
    2 ** 31,
    -(2 ** 31),
    2 ** 53,
    0.1,
    NaN,
    Infinity,
    1n,
    '',
    'text',
    'ü€😀',
    '\ud800',
    'x'.repeat(300),
    'x'.repeat(10_000),
    [],
    {},
    [undefined],
    [[[]]],
    { a: undefined },
    { 'strange key': 1, ü: 2, '"]': 3, constructor: 5 },
    new Map([[1, { a: 2 }]]),
    new Set(['a']),
    new Date(0),
    /x/g,
    new Error('e'),
    new Float64Array([1, 2]),
    new Uint8Array([1, 2]),
    new ArrayBuffer(3),
    Object.create(null),
    JSON.parse('{"__proto__": 1, "a": 2}'),
    /(?<letter>b)/.exec('abc'),
    Object.assign([1, 2], { more: 3 }),
    nested(20),
    Array.from({ length: 300 }, (_, i) => ({ i })),
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key${i}`, i])),
  ];
  // oxlint-disable-next-line no-sparse-arrays -- a hole is what is tested
  values.push([1, , 3]);
  for (const value of values) assert.deepEqual(pass(value), structuredClone(value));
  assert.ok(Buffer.isBuffer(pass(Buffer.from('a'))));
  assert.ok(!Buffer.isBuffer(pass(new Uint8Array(1))));
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const arrived = pass(cyclic) as typeof cyclic;
  assert.equal(arrived.self, arrived);
});

test('random plain data arrives as it was', () => {
  for (let i = 0; i < sized(200_000, 5000); i++) {
    const value = random(4);
    assert.deepEqual(pass(value), value);
  }
});

test('what cannot be cloned names the path', () => {
  assert.throws(
    () => encode({ list: [1, () => 2] }),
    (error: Error) => {
      return error instanceof EncodeError && error.path === 'item.list[1]';
    },
  );
});

function pass(value: unknown): unknown {
  const message = encode(value);
  const buffer = Buffer.alloc(message.size + 24, 0xaa);
  message.write(buffer, 8);
  return copyOut(message.kind, buffer, 8, 8 + message.size).value();
}

function nested(depth: number): unknown {
  return depth === 0 ? 'bottom' : [{ deeper: nested(depth - 1) }];
}

function random(depth: number): unknown {
  const kind = Math.floor(Math.random() * (depth > 0 ? 9 : 6));
  const some = <T>(make: () => T) => Array.from({ length: Math.floor(Math.random() * 7) }, make);
  if (kind === 0) return null;
  if (kind === 1) return Math.random() < 0.5;
  if (kind === 2) return Math.floor(Math.random() * 1000) - 300;
  if (kind === 3) return (Math.random() - 0.5) * 2 ** Math.floor(Math.random() * 60);
  if (kind < 6) return some(() => 'abcXYZ09-_é"\\ '[Math.floor(Math.random() * 14)]).join('');
  if (kind === 6) return some(() => random(depth - 1));
  return Object.fromEntries(some(() => [`k${Math.floor(Math.random() * 12)}`, random(depth - 1)]));
}
