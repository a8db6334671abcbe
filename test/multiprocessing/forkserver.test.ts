import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { InvalidStateError } from '../../src/base/errors.ts';
import { fromModule } from '../../src/callable/from-module.ts';
import { Process, Queue, setForkserverPreload } from '../../src/entry/multiprocessing.ts';
import { patience } from '../../src/multiprocessing/forked-child.ts';

const parties = fromModule<typeof import('./process-parties.js')>(new URL('./process-parties.js', import.meta.url));

test('a child that never says hello is killed and replaced by a spawned one, which is told once', async () => {
  patience.hello = 1;
  setForkserverPreload([new URL('../fixtures/multiprocessing/mute.js', import.meta.url)]);
  const queue = new Queue<{ pid: number }>();
  process.removeAllListeners('warning'); // Node's own, which prints
  const warned = once(process, 'warning');
  const mute = new Process(parties.whoAmI, [queue], { startMethod: 'forkserver' }).start();
  const [warning] = (await warned) as [Error & { code: string }];
  assert.match(warning.message, /replaced by a spawned one: process \d+ has not said hello within 1 s/);
  assert.equal(warning.code, 'SIMUL_FORKSERVER');
  const first = await queue.get({ timeout: 60 });
  assert.equal(first.pid, mute.pid);
  assert.equal(await mute.join(), 0);
  patience.hello = 10;
  assert.throws(() => setForkserverPreload([]), InvalidStateError);
  // The next of the template is well.
  const well = new Process(parties.whoAmI, [queue], { startMethod: 'forkserver' }).start();
  assert.equal((await queue.get({ timeout: 60 })).pid, well.pid);
  assert.equal(await well.join(), 0);
  // One that is killed before it has said hello is not replaced.
  const killed = new Process(parties.whoAmI, [queue], { startMethod: 'forkserver' }).start();
  killed.kill();
  assert.equal(await killed.join(), -9);
});
