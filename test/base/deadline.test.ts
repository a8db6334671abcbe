import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cancelledBy, checkSeconds, Deadline, within } from '../../src/base/deadline.ts';
import { deferred } from '../../src/base/deferred.ts';
import { CancelledError, InvalidArgumentError, TimeoutError } from '../../src/base/errors.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';

test('a deadline counts down and is never negative', () => {
  const clock = new VirtualClock();
  const deadline = Deadline.after(10, clock);
  assert.equal(deadline.left, 10);
  clock.advance(4);
  assert.equal(deadline.left, 6);
  assert.equal(deadline.passed, false);
  clock.advance(7);
  assert.equal(deadline.left, 0);
  assert.equal(deadline.passed, true);
  assert.equal(Deadline.after(undefined, clock).left, Infinity);
});

test('durations are checked', () => {
  assert.equal(checkSeconds('x', 0), 0);
  assert.equal(checkSeconds('x', Infinity), Infinity);
  for (const wrong of [-1, Number.NaN, '3', null]) {
    assert.throws(() => checkSeconds('x', wrong as number), InvalidArgumentError);
  }
});

test('within settles as the promise does and leaves nothing behind', async () => {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const options = { timeout: 5, signal: abort.signal, clock };
  assert.equal(await within(Promise.resolve(3), options), 3);
  await assert.rejects(within(Promise.reject(new RangeError('x')), options), RangeError);
  assert.equal(clock.pending, 0);
  abort.abort();
  assert.equal(await within(Promise.resolve(4)), 4);
});

test('within times out with what it waited for', async () => {
  const clock = new VirtualClock();
  const late = deferred<number>();
  const waiting = within(late.promise, { timeout: 5, clock, what: 'the answer' });
  clock.advance(4.9);
  const rejected = assert.rejects(waiting, (error: unknown) => {
    assert.ok(error instanceof TimeoutError);
    assert.equal(error.message, 'the answer timed out after 5 s');
    assert.equal(error.timeout, 5);
    return true;
  });
  clock.advance(0.1);
  await rejected;
  late.reject(new Error('abandoned: no unhandled rejection'));
});

test('within gives up when the signal is aborted, and stops its timer', async () => {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const waiting = within(new Promise(() => {}), { timeout: 5, signal: abort.signal, clock });
  const reason = new Error('why');
  abort.abort(reason);
  await assert.rejects(waiting, (error: unknown) => error instanceof CancelledError && error.cause === reason);
  assert.equal(clock.pending, 0);
});

test('within does not wait for a signal that is aborted already, and handles the abandoned promise', async () => {
  const late = deferred<number>();
  await assert.rejects(within(late.promise, { signal: AbortSignal.abort() }), CancelledError);
  late.reject(new Error('abandoned: no unhandled rejection'));
  await assert.rejects(within(Promise.resolve(1), { timeout: -1 }), InvalidArgumentError);
});

test('within without a bound is the promise itself; an endless timeout sets no timer', async () => {
  const clock = new VirtualClock();
  const value = deferred<number>();
  const waiting = within(value.promise, { timeout: Infinity, clock });
  assert.equal(clock.pending, 0);
  value.resolve(2);
  assert.equal(await waiting, 2);
});

test('a reason that is one of our errors is passed on as it is', () => {
  const ours = new TimeoutError('mine');
  assert.equal(cancelledBy(AbortSignal.abort(ours)), ours);
  const other = cancelledBy(AbortSignal.abort('because'));
  assert.ok(other instanceof CancelledError);
  assert.equal(other.cause, 'because');
});
