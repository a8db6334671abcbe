import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { realClock } from '../../src/base/clock.ts';
import { deferred } from '../../src/base/deferred.ts';

test('real time goes forward, in seconds', () => {
  const [now, time] = [realClock.now(), realClock.time()];
  assert.ok(Math.abs(time - Date.now() / 1000) < 60);
  assert.ok(realClock.now() >= now);
});

test('a real timer never fires early, a cancelled one never', async () => {
  const fired: string[] = [];
  const done = deferred();
  const start = realClock.now();
  const cancelled = realClock.setTimer(0.001, () => fired.push('cancelled'));
  realClock.setTimer(0.03, () => {
    fired.push('late');
    done.resolve();
  });
  realClock.setTimer(-1, () => fired.push('at once'));
  cancelled.cancel();
  cancelled.cancel();
  await done.promise;
  assert.ok(realClock.now() - start >= 0.03);
  assert.deepEqual(fired, ['at once', 'late']);
});

test('an unref’ed timer does not keep the program', () => {
  // This file would be killed at its deadline if it did.
  realClock.setTimer(3600, () => {}).unref();
});

test('a wait of more than 2^31 ms is not cut short', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let [real, fired] = [0, 0];
  const now = mock.method(performance, 'now', () => real);
  const pass = (milliseconds: number): void => {
    real += milliseconds;
    mock.timers.tick(milliseconds);
  };
  try {
    const month = 60 * 86_400;
    realClock.setTimer(month, () => fired++);
    for (let day = 1; day < 60; day++) {
      pass(86_400_000);
      assert.equal(fired, 0, `day ${day}`);
    }
    pass(86_400_000);
    assert.equal(fired, 1);
  } finally {
    now.mock.restore();
    mock.timers.reset();
  }
});
