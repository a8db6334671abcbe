import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { deferred } from '../../src/base/deferred.ts';
import { InvalidArgumentError } from '../../src/base/errors.ts';
import { seeded, VirtualClock } from '../../src/base/virtual-clock.ts';

const sleep = (clock: VirtualClock, seconds: number) =>
  new Promise<void>((done) => {
    clock.setTimer(seconds, done);
  });

test('time stands still until it is advanced; timers fire in order at their own times', () => {
  const clock = new VirtualClock({ epoch: 1000 });
  const fired: [string, number][] = [];
  const note = (name: string) => () => fired.push([name, clock.now()]);
  clock.setTimer(2, note('b'));
  clock.setTimer(1, note('a'));
  clock.setTimer(2, note('c'));
  clock.setTimer(5, note('late'));
  assert.equal(clock.now(), 0);
  clock.advance(3);
  assert.deepEqual(fired, [
    ['a', 1],
    ['b', 2],
    ['c', 2],
  ]);
  assert.equal(clock.now(), 3);
  assert.equal(clock.time(), 1003);
  assert.equal(clock.pending, 1);
  assert.throws(() => clock.advance(-1), InvalidArgumentError);
});

test('timers set while advancing fire in the same advance if they are due', () => {
  const clock = new VirtualClock();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.now());
    clock.setTimer(1, again);
  };
  clock.setTimer(1, again);
  clock.advance(3.5);
  assert.deepEqual(fired, [1, 2, 3]);
});

test('time never goes back, not even when a timer advances the clock itself', () => {
  const clock = new VirtualClock();
  clock.setTimer(1, () => clock.advance(10));
  clock.advance(2);
  assert.equal(clock.now(), 11);
});

test('cancelled timers do not fire, however many; cancelling twice counts once', () => {
  const clock = new VirtualClock();
  let fired = 0;
  clock.setTimer(2, () => fired++);
  const timers = Array.from({ length: 5000 }, (_, i) => clock.setTimer(1 + (i % 7), () => fired++));
  for (const timer of timers) {
    timer.cancel();
    timer.cancel();
  }
  assert.equal(clock.pending, 1);
  clock.setTimer(2, () => assert.equal(fired, 1, 'order of the same due time is kept'));
  clock.advance(10);
  assert.equal(fired, 1);
  assert.equal(clock.pending, 0);
});

test('jump goes to the next timer', () => {
  const clock = new VirtualClock();
  clock.setTimer(100, () => {});
  clock.setTimer(Infinity, () => assert.fail('never'));
  assert.equal(clock.jump(), true);
  assert.equal(clock.now(), 100);
  assert.equal(clock.jump(), false);
});

test('autoJump: twelve hours pass at once, in the right order', async () => {
  const clock = new VirtualClock({ autoJump: true });
  const log: string[] = [];
  const worker = async (name: string, seconds: number): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await sleep(clock, seconds);
      await turn();
      log.push(`${name}@${clock.now()}`);
    }
  };
  await Promise.all([worker('slow', 14_400), worker('fast', 5000)]);
  assert.deepEqual(log, ['fast@5000', 'fast@10000', 'slow@14400', 'fast@15000', 'slow@28800', 'slow@43200']);
});

test('autoJump: time stands still while outside work is held', async () => {
  const clock = new VirtualClock({ autoJump: true });
  const work = deferred<string>();
  let fired = false;
  clock.setTimer(10, () => (fired = true));
  const held = clock.hold(work.promise);
  const failing = clock.hold(Promise.reject(new Error('planted')));
  await assert.rejects(failing, /planted/);
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(fired, false);
  work.resolve('done');
  assert.equal(await held, 'done');
  await sleep(clock, 10);
  assert.equal(fired, true);
});

test('autoJump: timers that are all unref’ed do not make time go on, and do not keep the program', async () => {
  const clock = new VirtualClock({ autoJump: true });
  let beats = 0;
  const beat = (): void => {
    beats++;
    clock.setTimer(1, beat).unref().unref();
  };
  clock.setTimer(1, beat).unref();
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(beats, 0);
  await sleep(clock, 3.5);
  assert.equal(beats, 3);
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(beats, 3);
});

test('autoJump: those who ask are told when nothing can go on; a timer or a touch ends the rest', async () => {
  const clock = new VirtualClock({ autoJump: true });
  const log: string[] = [];
  const forget = clock.onStall(() => log.push(`stall@${clock.now()}`));
  clock.setTimer(Infinity, () => assert.fail('never'));
  await sleep(clock, 5);
  log.push('slept');
  for (let i = 0; i < 10; i++) await turn();
  assert.deepEqual(log, ['slept', 'stall@5'], 'once, not at every turn');
  clock.touch();
  for (let i = 0; i < 10; i++) await turn();
  assert.equal(log.length, 3);
  forget();
  clock.touch();
  for (let i = 0; i < 10; i++) await turn();
  assert.equal(log.length, 3);
});

test('a callback that throws does not stop the clock', () => {
  const clock = new VirtualClock();
  let fired = 0;
  clock.setTimer(1, () => {
    throw new Error('planted');
  });
  clock.setTimer(2, () => fired++);
  assert.throws(() => clock.advance(3), /planted/);
  assert.equal(clock.now(), 1);
  clock.advance(2);
  assert.equal(fired, 1);
});

test('randomness comes from the seed', () => {
  const draw = (seed: number) => {
    const clock = new VirtualClock({ seed });
    return Array.from({ length: 5 }, () => clock.random());
  };
  assert.deepEqual(draw(5), draw(5));
  assert.notDeepEqual(draw(5), draw(6));
  const random = seeded(1);
  const values = Array.from({ length: 10_000 }, random);
  assert.ok(values.every((value) => value >= 0 && value < 1));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean - 0.5) < 0.02, String(mean));
});
