// Start method "fork": what is said of all pools, said again in a program that can fork.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { forkFlags } from '../../src/os/fork.ts';
import { program } from '../fixtures/program.ts';

const suites = ['executor', 'futures', 'life', 'limits', 'pool', 'told-late', 'chaos', 'storm'];

for (const suite of suites) {
  test(`${suite}.test passes with workers that are forked`, async () => {
    const file = fileURLToPath(new URL(`./${suite}.test.js`, import.meta.url));
    const { code, output } = await run([...forkFlags, '--test-reporter=tap', '--test-name-pattern=\\(fork\\)', file]);
    const counted = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(output)?.[1]);
    assert.deepEqual([code, counted('fail')], [0, 0], output);
    assert.ok(counted('pass') > 0, output);
  });
}

async function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text)); // prettier-ignore
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

async function forked(name: string): Promise<unknown> {
  const { stdout, stderr, code } = await program('futures/fork-method', [name], { fork: true });
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return JSON.parse(stdout);
}

test('a worker has the modules and the memory of the program, and begins anew otherwise', async () => {
  assert.deepEqual(await forked('memory'), { imported: 1, secret: 42, worker: true, parent: true, stray: [] });
});

test('a worker keeps no descriptor of other pools', async () => {
  assert.deepEqual(await forked('descriptors'), { inherited: 0 });
});

test('a worker forks a pool of its own', async () => {
  assert.deepEqual(await forked('nested'), [9, 16]);
});

test('workers end with the program, whatever they do', async () => {
  const { stdout, signal } = await program('futures/fork-method', ['orphans'], { fork: true });
  assert.equal(signal, 'SIGKILL');
  const pids = JSON.parse(stdout) as number[];
  assert.equal(pids.length, 2);
  for (const pid of pids) while (isAlive(pid)) await new Promise(setImmediate);
});

test('where threads run there is no such pool, and one that is there goes on with the workers it has', async () => {
  const { stdout, stderr, code } = await program('futures/fork-method', ['threads'], { fork: true });
  assert.equal(code, 0);
  const refusal = 'fork() is not possible while other JavaScript threads run (1 here)';
  assert.deepEqual(JSON.parse(stdout), { refusal, workers: 1, answer: 'of the one', broken: ['BrokenProcessPool', refusal], after: 2 }); // prettier-ignore
  assert.match(stderr, /SimulWarning: a pool has to do with fewer workers: fork\(\) is not possible while other/);
});

test('without the flags the construction says how to get them', async () => {
  const { stderr, code } = await program('futures/fork-method', ['memory']);
  assert.equal(code, 1);
  assert.match(stderr, /UnsupportedError: fork\(\) needs node to be started with .*simul run SCRIPT/);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
