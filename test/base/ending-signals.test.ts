import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { CancelledError } from '../../src/base/errors.ts';
import { within } from '../../src/base/deadline.ts';
import { endingSignals, onAnyAbort, throwIfAnyAborted } from '../../src/base/ending-signals.ts';

const pair = (): [AbortController, AbortController] => [new AbortController(), new AbortController()];

test('outside of a task only the signal given counts, which must be one', () => {
  const { signal } = new AbortController();
  assert.deepEqual(endingSignals(undefined), []);
  assert.deepEqual(endingSignals(signal), [signal]);
  for (const bad of [5, null, {}] as never[]) assert.throws(() => endingSignals(bad), { argument: 'signal' });
});

test('whichever is aborted ends the wait, and no listener is left', async () => {
  for (const which of [0, 1] as const) {
    const both = pair();
    const signals = both.map(({ signal }) => signal);
    throwIfAnyAborted(signals);
    const errors: Error[] = [];
    const forget = onAnyAbort(signals, (error) => errors.push(error));
    const waiting = within(new Promise(() => {}), { signals, timeout: 60 });
    const reason = new Error('enough');
    both[which].abort(reason);
    await assert.rejects(waiting, (error: Error) => error instanceof CancelledError && error.cause === reason);
    assert.equal(errors.length, 1);
    forget();
    assert.throws(() => throwIfAnyAborted(signals), CancelledError);
    await assert.rejects(within(new Promise(() => {}), { signals }), CancelledError);
    for (const signal of signals) assert.equal(getEventListeners(signal, 'abort').length, 0);
  }
});
