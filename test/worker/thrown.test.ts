import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withFleet } from './fleet.ts';

const wait = { timeout: 10 };

class Unreadable extends Error {
  override get message(): string {
    throw new Error('unreadable');
  }
}

class PaymentError extends Error {}

function cyclic(): Error {
  const error = new Error('its own cause');
  error.cause = error;
  return error;
}

function withoutClass(): Error {
  const error = new Error('of no class');
  Object.defineProperty(error, 'constructor', { value: undefined });
  return error;
}

const oddities: [string, () => unknown, RegExp][] = [
  ['its own cause', cyclic, /its own cause/],
  ['an object without a prototype', () => Object.create(null), /./],
  ['a toString that throws', () => ({ toString: () => assert.fail() }), /./],
  ['a message that throws', () => new Unreadable(), /./],
  ['no constructor', withoutClass, /of no class/],
  ['a message that is an object', () => Object.assign(new Error('x'), { message: { f: () => 1 } }), /./],
  ['a proxy that refuses everything', refusing, /./],
  ['a symbol', () => Symbol('thrown'), /thrown/],
  ['undefined', () => undefined, /undefined/],
  ['a class without a name of its own', () => new PaymentError('declined'), /declined/],
];

describe('a task that throws', () => {
  for (const [what, thrown, message] of oddities) {
    it(`${what} fails, and the worker goes on`, () =>
      withFleet(async ({ app, start }) => {
        const odd = app.task('odd', { autoretryFor: [RangeError] }, () => {
          throw thrown();
        });
        const fine = app.task('fine', () => 'fine');
        await start();
        const result = await odd.delay();
        await assert.rejects(result.get(wait), (error) => error instanceof Error && message.test(error.message));
        assert.equal(await result.status(), 'FAILURE');
        assert.equal(await (await fine.delay()).get(wait), 'fine');
      }));
  }

  it('an error of its own class is known by the name of the class', () =>
    withFleet(async ({ app, start }) => {
      const pay = app.task('pay', () => {
        throw new PaymentError('declined');
      });
      await start();
      await assert.rejects((await pay.delay()).get(wait), { name: 'PaymentError' });
    }));
});

function refusing(): unknown {
  const refuse = () => {
    throw new Error('refused');
  };
  return new Proxy(new Error('x'), { get: refuse, getPrototypeOf: refuse, has: refuse, ownKeys: refuse });
}
