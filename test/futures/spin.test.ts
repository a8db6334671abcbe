import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Spin } from '../../src/futures/worker/spin.ts';

test('a worker looks out for the next call for a short time only', () => {
  const { spin, clock, looks, never } = patience();
  assert.equal(spin.until(never), false);
  assert.ok(clock.now > 0.01 && clock.now < 0.1, `${clock.now} ms`);
  assert.ok(looks() > 100);
});

test('what comes while it looks out is found', () => {
  const { spin } = patience();
  let left = 500;
  assert.equal(
    spin.until(() => left-- === 0),
    true,
  );
});

test('where nothing comes it hardly looks out any more, and does again when something does', () => {
  const { spin, clock, looks, never } = patience();
  for (let wait = 0; wait < 10_000; wait++) assert.equal(spin.until(never), false);
  const before = { time: clock.now, looks: looks() };
  for (let wait = 0; wait < 2560; wait++) spin.until(never);
  assert.ok(clock.now - before.time < 11 * 0.1, 'one wait in 256 takes its time');
  assert.ok(looks() - before.looks < 2560 * 20);
  // Each that is found at the second look: a wait that is not skipped finds it, the others do not.
  let found = 0;
  for (let wait = 0; wait < 4000; wait++) if (spin.until(everySecondLook())) found++;
  assert.ok(found > 3000, `${found} of 4000`);
});

function patience() {
  const clock = { now: 0 };
  const spin = new Spin(() => (clock.now += 0.002));
  let count = 0;
  const never = () => {
    count++;
    return false;
  };
  return { spin, clock, looks: () => count, never };
}

function everySecondLook(): () => boolean {
  let look = 0;
  return () => look++ === 1;
}
