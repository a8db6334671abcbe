import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processExit } from '../../src/entry/os.ts';
import { program } from '../fixtures/program.ts';

async function forked(name: string): Promise<unknown> {
  const { stdout, stderr, code } = await program('multiprocessing/fork-method', [name], { fork: true });
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return JSON.parse(stdout);
}

test('the target may be a closure, and its arguments are the very ones', async () => {
  assert.deepEqual(await forked('closure'), [null, 0, [42, true, 2], false, true]);
});

test('exit codes: returned, exited with, set, thrown', async () => {
  const codes = [0, 7, 5, 1, 0];
  assert.deepEqual(await forked('codes'), [codes, codes, 0]);
});

test('the child goes on with nothing that its parent has under way', async () => {
  assert.deepEqual(await forked('alone'), [0, 1, true, ['the target']]);
});

test('terminate and kill, in a blocked child and before it is there; the sentinel tells its end', async () => {
  assert.deepEqual(await forked('signals'), [-15, -9, -15]);
});

test('locks, values and pipes are shared through the closure', async () => {
  assert.deepEqual(await forked('shared'), [6, 11]);
});

test('a child has children of its own', async () => {
  assert.deepEqual(await forked('nested'), ['Process-1:1', ['Process-1', true, 0, 0]]);
});

test('from a task, the child runs tasks of its own', async () => {
  assert.deepEqual(await forked('tasks'), [0, 'slept']);
});

test('sockets that the parent waits for are its own, and the child has its own', async () => {
  assert.deepEqual(await forked('sockets'), ['child', 'ours']);
});

test('a daemon does not keep the program, and ends with it', async () => {
  await processExit((await forked('daemon')) as number, { timeout: 30 });
});

test('it is refused while worker threads run', async () => {
  const reason = 'fork() is not possible while other JavaScript threads run (1 here)';
  assert.deepEqual(await forked('threads'), [reason, 0]);
});

test('without the flags it is refused, saying how to get them', async () => {
  const message = await program('multiprocessing/fork-method', ['closure']);
  assert.match(message.stderr, /UnsupportedError: fork.*simul run SCRIPT/); // by getContext at the top
});
