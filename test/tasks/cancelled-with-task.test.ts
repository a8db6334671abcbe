import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { createTask, getRunningLoop, run, sleep } from '../../src/entry/asyncio.ts';
import { Simul } from '../../src/entry/index.ts';

test('waiting for a result ends with the asyncio task that waits, and by a signal of its own', async () => {
  await using app = new Simul('cancelled', { broker: 'memory://cancelled-with-task' });
  const never = app.task('cancelled.never', () => 1); // there is no worker
  const result = await never.delay();
  const own = new AbortController();
  await run(async () => {
    const reports: string[] = [];
    getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
    for (const options of [{}, { timeout: 60 }, { signal: own.signal }, { signal: own.signal, timeout: 60 }]) {
      const task = createTask(() => result.get(options));
      await sleep(0.02);
      task.cancel();
      await assert.rejects(async () => task, { name: 'CancelledError' });
    }
    assert.deepEqual(reports, []);
  });
  assert.equal(getEventListeners(own.signal, 'abort').length, 0);
  const waiting = assert.rejects(result.get({ signal: own.signal }), { name: 'CancelledError' });
  own.abort();
  await waiting;
  await assert.rejects(result.get({ signal: own.signal }), { name: 'CancelledError' });
  await assert.rejects(result.get({ timeout: 0.01 }), { name: 'TimeoutError' });
});
