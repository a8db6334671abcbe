import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidStateError, TimeoutError } from '../../src/base/errors.ts';
import { fromModule } from '../../src/callable/from-module.ts';
import {
  activeChildren,
  currentProcess,
  getAllStartMethods,
  getContext,
  getStartMethod,
  Lock,
  parentProcess,
  Process,
  Queue,
  setStartMethod,
} from '../../src/entry/multiprocessing.ts';
import { poll, POLLIN, processExit } from '../../src/entry/os.ts';
import { program } from '../fixtures/program.ts';

const parties = fromModule<typeof import('./process-parties.js')>(new URL('./process-parties.js', import.meta.url));

for (const startMethod of ['spawn', 'forkserver'] as const) {
  test(`${startMethod}: a process runs a function and knows itself`, async () => {
    const queue = new Queue<object>();
    const child = new Process(parties.whoAmI, [queue], { name: 'kid', startMethod });
    assert.deepEqual([child.pid, child.exitcode, child.isAlive()], [undefined, undefined, false]);
    await assert.rejects(child.join(), InvalidStateError);
    child.start();
    assert.throws(() => child.start(), InvalidStateError);
    assert.deepEqual(activeChildren(), [child]);
    assert.deepEqual(await queue.get(), { name: 'kid', pid: child.pid, parent: process.pid, children: 0 });
    assert.equal(await child.join(), 0);
    assert.deepEqual([child.exitcode, child.isAlive(), activeChildren().length], [0, false, 0]);
    assert.equal(currentProcess().name, 'MainProcess');
    assert.equal(parentProcess(), undefined);
  });

  test(`${startMethod}: exit codes, thrown, exited with and set`, async () => {
    const codes = await Promise.all([
      new Process(parties.exitWith, [7], { startMethod }).start().join(),
      new Process(parties.endWithCode, [5], { startMethod }).start().join(),
      new Process(parties.fail, [], { startMethod }).start().join(),
    ]);
    assert.deepEqual(codes, [7, 5, 1]);
  });

  test(`${startMethod}: signals reach a process that is blocked; the sentinel tells its end`, async () => {
    const lock = new Lock();
    lock.acquireSync();
    const terminated = new Process(parties.block, [lock], { startMethod }).start();
    const killed = new Process(parties.block, [lock], { startMethod }).start();
    await assert.rejects(terminated.join({ timeout: 0.01 }), TimeoutError);
    assert.throws(() => terminated.close(), InvalidStateError);
    while (terminated.pid === undefined) await new Promise(setImmediate);
    const ended = poll(terminated.sentinel, POLLIN);
    terminated.terminate();
    killed.kill();
    await ended;
    assert.deepEqual([await terminated.join(), await killed.join()], [-15, -9]);
    terminated.close();
    killed.close();
    lock.release();
  });
}

test('a daemon has no children', async () => {
  const queue = new Queue<string>();
  const child = new Process(parties.haveChild, [queue], { daemon: true }).start();
  assert.match(await queue.get(), /not allowed to have children/);
  await child.join();
});

test('start methods', async () => {
  const context = getContext('forkserver');
  assert.equal(await context.process(parties.endWithCode, [4]).start().join(), 4);
  assert.throws(() => getContext('fork'), { code: 'SIMUL_UNSUPPORTED' });
  assert.equal(getStartMethod(), 'spawn');
  assert.deepEqual(getAllStartMethods(), ['spawn', 'forkserver']);
  assert.throws(() => setStartMethod('fork'), /simul run SCRIPT/);
  assert.throws(() => setStartMethod('thread' as 'spawn'), { code: 'SIMUL_INVALID_ARGUMENT' });
});

// Each child says its pid; then the parent goes, in one of several ways, and so must the child, whatever it does.
for (const [end, child, method = 'spawn'] of [
  ['exit', 'idle'],
  ['exit', 'blocked'],
  ['kill', 'idle'],
  ['kill', 'blocked'],
  ['kill', 'busy'],
  ['kill', 'idle', 'forkserver'],
  ['kill', 'busy', 'forkserver'],
  ['kill', 'idle', 'fork'],
  ['kill', 'blocked', 'fork'],
  ['exit', 'busy', 'fork'],
] as const) {
  test(`${method}: a child that is ${child} ends with its parent (${end})`, async () => {
    const { stdout } = await program('multiprocessing/parent', [end, child, method], { fork: method === 'fork' });
    await processExit(Number(stdout), { timeout: 30 });
  });
}

test('process.exit ends a program whose threads are blocked in native waits', async () => {
  const { code, stdout } = await program('multiprocessing/blocked-threads', []);
  assert.deepEqual([code, stdout], [3, 'blocked\n']);
});

test('so does a program whose main thread knows nothing of the lock its worker waits for', async () => {
  const { code, stdout } = await program('multiprocessing/foreign-worker', []);
  assert.deepEqual([code, stdout], [3, 'blocked\n']);
});

test('a child of os.fork shares what its parent has made, and each keeps its own', async () => {
  const { stdout, stderr } = await program('multiprocessing/forked', [], { fork: true });
  assert.equal(stdout, '[true,5,true,1,7,true,true]\n', stderr);
});
