import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { forkFlags, whyNoFork } from '../../src/os/fork.ts';
import { program, sized } from '../fixtures/program.ts';

const skip = process.platform !== 'linux' && 'fork is for Linux';

test('fork returns 0 in the child and its pid in the parent', { skip }, async () => {
  assert.deepEqual(await forked('returns'), [true, true, 3, 3]);
});

test(
  'every one of many children allocates, sleeps, reads, talks over TCP, and exits with its code',
  { skip },
  async () => {
    const count = sized(500, 20);
    assert.deepEqual(await forked('stress', String(count)), { 7: count });
  },
);

test('waitpid is cancelled with its task, and hears of children whatever is done to SIGCHLD', { skip }, async () => {
  assert.equal(await forked('waitsOfTasks'), 'CancelledError');
});

test("a child can neither wait for its parent's programs nor end them", { skip }, async () => {
  assert.deepEqual(await forked('foreignProgram'), [5, 0]);
});

test('siblings draw different random numbers and ids, and know their own pids', { skip }, async () => {
  const count = sized(1000, 60);
  const directory = mkdtempSync(join(tmpdir(), 'simul-fork-'));
  try {
    const file = join(directory, 'ids');
    writeFileSync(file, '');
    assert.equal(await forked('ids', String(count), file), 'done');
    const rows = readFileSync(file, 'utf8').trim().split('\n');
    assert.equal(rows.length, count);
    const columns = rows.map((row) => row.split(' '));
    for (let column = 0; column < 6; column++)
      assert.equal(new Set(columns.map((row) => row[column])).size, count, `column ${column} repeats`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test(
  'nobody draws what the parent or a sibling draws, however much the parent draws between forks',
  { skip },
  async () => {
    assert.deepEqual(await forked('drawn'), [0, 0]);
  },
);

test('a program goes on, and forks, with its code on huge pages', { skip }, async () => {
  assert.deepEqual(await forked('hugeText'), [7, true, true]);
});

test('an ended child is a zombie until it is waited for', { skip }, async () => {
  assert.deepEqual(await forked('zombie'), ['Z', false]);
});

test(
  'a child can end in every way: exit, naturally, _exit, uncaught error, signal, late work, exit handlers',
  { skip },
  async () => {
    const result = await program('os/fork-cases', ['endings'], { fork: true });
    assert.equal(result.stdout, '[5,6,7,1,-9,0,9,11,1]\n', result.stderr);
    assert.match(result.stderr, /Error: thrown before the exit/);
    assert.match(result.stderr, /Error: fatal in the child/);
  },
);

test('children are themselves, and end, although others put back what they had found', { skip }, async () => {
  assert.deepEqual(await forked('putBack'), [[6, 5, 6], 3]);
});

test('a child that ended before anybody listened is told of when somebody does', { skip }, async () => {
  assert.deepEqual(await forked('endedEarly'), ['early 3']);
});

test('a child ends although its parent had caught a signal that nobody will ever hear of', { skip }, async () => {
  assert.equal(await forked('caught'), 6);
});

test('registerAtFork: before in reverse, after in order, each on its side', { skip }, async () => {
  const [parent, child] = (await forked('handlers')) as [string, string];
  assert.equal(parent, 'before2 before1 parent1 parent2');
  assert.equal(child, 'before2 before1 child1 child2');
});

test('waitpid options, timeouts, aborts, and ECHILD when nobody is left', { skip }, async () => {
  assert.deepEqual(await forked('options'), [
    [0, 0],
    [true, 19],
    true,
    'TimeoutError',
    'CancelledError',
    [true, 15, false, -15],
    'ECHILD',
    'ECHILD',
  ]);
});

test('waitpid by process group', { skip }, async () => {
  assert.deepEqual(await forked('groups'), [true, true, 0]);
});

test('wait leaves the children of others alone', { skip }, async () => {
  assert.deepEqual(await forked('foreign'), [true, 4]);
});

test('memory is copied on writing', { skip }, async () => {
  assert.deepEqual(await forked('shared'), [5, 7]);
});

test('a child can fork', { skip }, async () => {
  assert.deepEqual(await forked('grandchild'), [true, '0', 0]);
});

test('a child can import', { skip }, async () => {
  assert.equal(await forked('imports'), 0);
});

test('a pipe between forked processes carries from producer to consumer and ends', { skip }, async () => {
  assert.deepEqual(await forked('producer'), [1000, true]);
});

test('signal handlers work on in the child, for its own signals', { skip }, async () => {
  assert.deepEqual(await forked('signals'), [0, 0]);
});

test('forking and waiting leave no descriptor', { skip }, async () => {
  assert.equal(await forked('descriptors'), 0);
});

test('fork is refused while a worker runs, from its first moment to its last', { skip }, async () => {
  const lines = (await program('os/fork-cases', ['worker'], { fork: true })).stdout.trim().split('\n');
  assert.equal(lines.length, 3);
  for (const line of lines.slice(0, 2)) assert.match(line, /SIMUL_UNSUPPORTED: .*other JavaScript threads run/);
  assert.equal(lines[2], 'true');
});

test('fork is refused while module hooks are registered', { skip }, async () => {
  const { stdout } = await program('os/fork-cases', ['hooks'], { fork: true });
  assert.match(stdout, /SIMUL_UNSUPPORTED: .*module hooks/);
});

test('fork is refused without the flags, saying how to get them', { skip }, async () => {
  const { stdout } = await program('os/fork-cases', ['plain']);
  assert.match(stdout, /SIMUL_UNSUPPORTED: .*simul run SCRIPT/);
});

test('of two contrary flags the last counts', { skip }, () => {
  const path = fileURLToPath(new URL('../fixtures/os/fork-cases.js', import.meta.url));
  const told = (...flags: string[]) => execFileSync(process.execPath, [...flags, path, 'plain'], { encoding: 'utf8' });
  assert.match(told(...forkFlags, '--v8-pool-size=4'), /SIMUL_UNSUPPORTED: .*--v8-pool-size=0/);
  assert.equal(told('--v8-pool-size=4', ...forkFlags), '"forked"\n');
});

test('fork is refused in a worker thread', { skip }, async () => {
  const { stdout } = await program('os/fork-cases', ['inWorker'], { fork: true });
  assert.match(stdout, /main thread only/);
});

test('fork is refused on other platforms, saying what to do', () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;
  try {
    for (const name of ['darwin', 'win32']) {
      Object.defineProperty(process, 'platform', { ...platform, value: name });
      assert.match(whyNoFork()!, /Linux only.*"spawn"/);
    }
  } finally {
    Object.defineProperty(process, 'platform', platform);
  }
});

async function forked(name: string, ...args: string[]): Promise<unknown> {
  const result = await program('os/fork-cases', [name, ...args], { fork: true, timeout: 300_000 });
  assert.equal(result.stderr, '');
  assert.equal(result.code, 0);
  return JSON.parse(result.stdout);
}
