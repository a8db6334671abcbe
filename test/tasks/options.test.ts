import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError } from '../../src/base/errors.ts';
import { Simul } from '../../src/tasks/app.ts';
import { Worker } from '../../src/worker/worker.ts';

// From JavaScript, where no type stands in the way.
const loose = (value: unknown) => value as never;
const app = () => new Simul('shop', { broker: 'memory://options' });
const named = (argument: string) => (error: unknown) =>
  error instanceof InvalidArgumentError && error.message.startsWith(`${argument}: `);

test('options of a task are refused by name', () => {
  const wrong: [string, unknown][] = [
    ['retryBackoff', 'x'],
    ['retryBackoffMax', 'x'],
    ['autoretryFor', Error],
    ['rateLimit', '10/y'],
    ['queue', ''],
    ['queue', 5],
    ['queue', 'a\0b'],
    ['params', 'x'],
    ['acksLate', 'x'],
    ['maxRetries', -1],
    ['timeLimit', 0],
    ['maxretries', 3],
  ];
  for (const [name, value] of wrong)
    assert.throws(
      () => app().task('shop.add', loose({ [name]: value }), () => 1),
      named(name),
      `${name} ${String(value)}`,
    );
  for (const options of [null, 5, 'x'])
    assert.throws(() => app().task('shop.add', loose(options), () => 1), named('options'));
});

test('options of a call are refused by name, and nothing is sent', async () => {
  await using shop = app();
  const add = shop.task('shop.add', (x: number) => x);
  const wrong: [string, unknown][] = [
    ['headers', 'xy'],
    ['headers', 5],
    ['headers', []],
    ['timeLimit', 'x'],
    ['timeLimit', -1],
    ['softTimeLimit', Number.NaN],
    ['ignoreResult', 'yes'],
    ['shadow', 5],
    ['taskId', 'a\0b'],
    ['taskId', 'x\ud800'],
    ['queue', 'a\0b'],
    ['countdown', 'x'],
    ['eta', 5],
    ['countDown', 5],
  ];
  for (const [name, value] of wrong)
    await assert.rejects(add.applyAsync([1], loose({ [name]: value })), named(name), `${name} ${String(value)}`);
  await assert.rejects(add.applyAsync([1], loose(null)), named('options'));
  await assert.rejects(add.applyMany(loose(undefined)), named('argsList'));
  assert.deepEqual(await (await shop.broker()).sizes(), []);
});

test('options of apps, results and workers are refused by name', async () => {
  assert.throws(() => new Simul('shop', loose(null)), named('options'));
  assert.throws(() => new Simul('shop', loose({ brokr: 'x' })), named('brokr'));
  await using shop = app();
  await assert.rejects(shop.AsyncResult('a').get(loose(null)), named('options'));
  assert.throws(() => new Worker(loose(undefined)), named('app'));
  assert.throws(() => new Worker(loose({})), named('app'));
  const wrong: [string, unknown][] = [
    ['hostname', 5],
    ['drainTimeout', -1],
    ['queues', 'celery'],
    ['queues', []],
    ['lease', Number.NaN],
  ];
  for (const [name, value] of wrong)
    assert.throws(() => new Worker(shop, loose({ [name]: value })), named(name), `${name} ${String(value)}`);
});
