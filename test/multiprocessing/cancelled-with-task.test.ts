import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTask, getRunningLoop, run, sleep } from '../../src/entry/asyncio.ts';
import { Client, Listener, Manager } from '../../src/entry/multiprocessing.ts';

const skip = process.platform !== 'linux' && 'Linux only';

/** Cancels a task that waits in `call`, which must end at once and by that. */
async function cancelled(call: () => Promise<unknown>): Promise<void> {
  const reports: string[] = [];
  getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
  const task = createTask(call);
  await sleep(0.02);
  task.cancel();
  await assert.rejects(async () => task, { name: 'CancelledError' });
  assert.deepEqual(reports, []);
}

test('receiving ends with the task that waits; nothing that comes later is lost', { skip }, async () => {
  await using listener = await Listener.open();
  const accepting = listener.accept();
  await using client = await Client(listener.address);
  await using server = await accepting;
  const { signal } = new AbortController();
  await run(async () => {
    await cancelled(() => client.recv());
    await cancelled(() => client.recv({ signal, timeout: 60 }));
    await server.send('later');
    assert.equal(await client.recv({ timeout: 10 }), 'later');
  });
});

test('a call of a manager ends with its task, those of others do not', { skip }, async () => {
  const manager = await Manager();
  const queue = await manager.Queue<string>();
  await run(async () => {
    // The first to call makes the connection that all share.
    const first = createTask(() => queue.get());
    const second = createTask(() => queue.qsize());
    first.cancel();
    assert.equal(await second, 0);
    await cancelled(() => queue.get({ timeout: 60 }));
    const dict = await manager.dict<number>();
    await dict.set('a', 1);
    assert.equal(await dict.get('a'), 1);
  });
  await manager.shutdown();
});
