import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fromModule } from '../../src/callable/from-module.ts';
import { ThreadHost } from '../../src/callable/thread-host.ts';
import { Event } from '../../src/multiprocessing/event.ts';
import { Lock } from '../../src/multiprocessing/lock.ts';

const parties = fromModule<typeof import('./parties.js')>(new URL('./parties.js', import.meta.url));

test('threads that waited, ended or terminated, leave no descriptor', async () => {
  const lock = new Lock();
  lock.acquireSync();
  const entered = new Event();
  const round = async (terminate: boolean) => {
    const host = new ThreadHost();
    await host.call(parties.holdAsyncFor, [lock, entered]);
    await (terminate ? host.terminate() : host.close());
  };
  await round(true);
  await round(false);
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 4; i++) await round(i % 2 === 0);
  assert.equal(readdirSync('/proc/self/fd').length, before);
  assert.equal(lock.locked(), true);
});
