// oxlint-disable typescript/unbound-method -- taking methods off their objects is what is tested
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError } from '../../src/base/errors.ts';
import { describe, resolve } from '../../src/callable/reference.ts';
import type { AnyFunction } from '../../src/callable/registry.ts';

class Tagged {
  #tag = 1;

  static make(): Tagged {
    return new Tagged();
  }

  isTagged(): boolean {
    return this.#tag === 1;
  }
}

async function revive(fn: AnyFunction): Promise<(...args: unknown[]) => unknown> {
  return (await resolve(structuredClone(describe(fn)))) as (...args: unknown[]) => unknown;
}

const computed = 'computed name';
const object = {
  area(width: number, height: number) {
    return width * height;
  },
  async later(x: number) {
    return Promise.resolve(x);
  },
  'odd name'() {
    return 'odd';
  },
  get size() {
    return 1;
  },
  [computed]() {
    return 'computed';
  },
};

test('arrows, functions and methods cross by source', async () => {
  const declared = function add(a: number, b: number) {
    return a + b;
  };
  assert.equal((await revive((x: number) => x * x))(7), 49);
  assert.equal((await revive(declared))(2, 3), 5);
  assert.equal(await (await revive(async (x: number) => Promise.resolve(x + 1)))(1), 2);
  const { area, later } = object;
  assert.equal((await revive(area))(3, 4), 12);
  assert.equal(await (await revive(later))(5), 5);
  assert.equal((await revive(object['odd name']))(), 'odd');
});

test('import() in a plain function starts from the working directory', async () => {
  const basename = await revive(async (path: string) => {
    const { basename } = await import('node:path');
    return basename(path);
  });
  assert.equal(await basename('/a/b.txt'), 'b.txt');
});

test('equal sources share one hash, different ones do not', () => {
  const make = () => (x: number) => x + 1;
  const [a, b] = [describe(make()), describe(make())];
  assert(a.kind === 'source' && b.kind === 'source');
  assert.equal(a.hash, b.hash);
  assert.notDeepEqual(
    a,
    describe((x: number) => x + 2),
  );
});

test('a free variable says to use portable, thrown at once or later', async () => {
  const outside = 3;
  const expected = {
    name: 'ReferenceError',
    message:
      'outside is not defined: function scale was sent as source and sees nothing outside itself; ' +
      'pass outside as an argument, or register it with portable(import.meta, name, fn) or name an export with fromModule',
  };
  const scale = (x: number) => x * outside;
  const sync = await revive(scale);
  assert.throws(() => sync(1), expected);
  const later = { scale: async (x: number) => Promise.resolve(x * outside) }.scale;
  await assert.rejects(async () => (await revive(later))(1), expected);
});

test('a ReferenceError from elsewhere is left as it is', async () => {
  const rethrow = await revive((error: Error) => {
    throw error;
  });
  const foreign = new ReferenceError('x is not defined');
  assert.throws(() => rethrow(foreign), { message: 'x is not defined' });
});

test('functions that cannot cross are refused with the reason', () => {
  const cases: [unknown, RegExp][] = [
    [Math.max, /not a native function/],
    [Tagged.make.bind(null), /not a bound function/],
    [Tagged, /not a class constructor/],
    [function* count() {}, /not a generator/],
    [async function* count() {}, /not a generator/],
    [object[computed], /cannot be parsed alone/],
    [Object.getOwnPropertyDescriptor(object, 'size')!.get, /cannot be parsed alone/],
    [new Tagged().isTagged, /cannot be parsed alone/],
    ['text', /fn: expected a function, received "text"/],
  ];
  for (const [fn, message] of cases) {
    assert.throws(
      () => describe(fn as AnyFunction),
      (error: Error) => {
        assert(error instanceof InvalidArgumentError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
  }
});
