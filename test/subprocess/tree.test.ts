import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, test } from 'node:test';
import { PIPE, Popen, run, runSync } from '../../src/entry/subprocess.ts';
import { processExit } from '../../src/os/pidfd.ts';
import { fromPs, hasCookie, processTable } from '../../src/subprocess/process-table.ts';

const skip = process.platform !== 'linux' && 'descendants are found through /proc';
const program = fileURLToPath(new URL('../fixtures/subprocess/tree.js', import.meta.url));
let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'simul-tree-'));
  file = join(directory, 'pids');
  writeFileSync(file, '');
});
afterEach(() => rmSync(directory, { recursive: true }));

for (const launcher of ['auto', 'posix', 'node'] as const) {
  test(`by ${launcher}: kill takes three levels and a daemon that left by a double fork`, { skip }, async () => {
    const child = await planted(launcher, 'marked');
    const { all, daemon } = pids();
    assert.equal(all.length, 3);
    // The daemon has lost its parentage and has a session of its own.
    assert.ok(processTable().find((entry) => entry.pid === daemon)!.parent !== child.pid);
    const { pids: killed, escaped } = child.kill();
    for (const pid of [...all, child.pid]) assert.ok(killed.includes(pid), `${pid} was forgotten`);
    assert.ok(!escaped.includes(daemon));
    assert.equal(await child.wait(), -9);
    for (const pid of all) await ended(pid);
  });
}

test('a daemon with a scrubbed environment escapes, and is reported', { skip }, async () => {
  const child = await planted('posix', 'scrubbed');
  const { all, daemon } = pids();
  const { pids: killed, escaped } = child.kill();
  try {
    assert.ok(!killed.includes(daemon));
    assert.ok(escaped.includes(daemon));
    for (const pid of all.filter((pid) => pid !== daemon)) await ended(pid);
    assert.ok(existsSync(`/proc/${daemon}`));
  } finally {
    process.kill(daemon, 'SIGKILL');
  }
  await child.wait();
});

test('a timeout ends the tree too, daemon included', { skip }, async () => {
  const late = async (launcher: 'posix' | 'node'): Promise<void> => {
    const own = join(directory, launcher);
    writeFileSync(own, '');
    const command = [process.execPath, program, own, 'marked'];
    const error = await run(command, { timeout: 3, launcher, stdout: PIPE }).catch((e) => e);
    assert.equal(error.name, 'TimeoutExpired');
    const { all, daemon } = pids(own);
    assert.deepEqual([all.length, String(error.stdout), error.escaped.includes(daemon)], [3, 'ready\n', false]);
    for (const pid of all) await ended(pid);
  };
  await Promise.all([late('posix'), late('node')]);
});

test('so does the timeout of the blocking twin', { skip }, async () => {
  assert.throws(() => runSync([process.execPath, program, file, 'marked'], { timeout: 3, stdout: PIPE }), {
    name: 'TimeoutExpired',
  });
  assert.equal(pids().all.length, 3);
  for (const pid of pids().all) await ended(pid);
});

test('run that times out reports who escaped', { skip }, async () => {
  const error = await run([process.execPath, program, file, 'scrubbed'], { timeout: 3, stdout: PIPE }).catch((e) => e);
  const { daemon } = pids();
  process.kill(daemon, 'SIGKILL');
  assert.equal(error.name, 'TimeoutExpired');
  assert.ok(error.escaped.includes(daemon));
});

test('the descendants of a program that has ended are found by its mark', { skip }, async () => {
  const child = new Popen(['sh', '-c', `sleep 120 & echo $! > ${file}`]);
  await child.wait();
  const orphan = Number(readFileSync(file, 'utf8'));
  assert.deepEqual(child.kill().pids, [orphan]);
  await ended(orphan);
});

test('a gentler signal reaches all of them too, though they were stopped to be counted', { skip }, async () => {
  const child = await planted('posix', 'marked');
  const { all } = pids();
  child.kill({ signal: 'SIGTERM' });
  assert.equal(await child.wait(), -15);
  for (const pid of all) await ended(pid);
});

test('only the program itself, if so asked', { skip }, async () => {
  const child = await planted('posix', 'marked');
  child.kill({ tree: false });
  await child.wait();
  assert.equal(
    pids().all.every((pid) => existsSync(`/proc/${pid}`)),
    true,
  );
  child.kill();
  for (const pid of pids().all) await ended(pid);
});

test('a fork bomb of sorts is outrun', { skip }, async () => {
  const script = `echo go; while :; do sh -c 'sleep 0.05; sleep 120' & sleep 0.01; done`;
  const child = new Popen(['sh', '-c', script], { stdout: PIPE });
  await once(child.stdout!, 'data');
  const { pids: killed } = child.kill();
  await child.wait();
  child.closePipes();
  for (const pid of killed) await ended(pid);
  const left = processTable().filter((entry) => killed.includes(entry.parent) && entry.state !== 'Z');
  assert.deepEqual(left, []);
});

test('what is known to be older is not read again', { skip }, () => {
  const all = processTable();
  const known = new Set(all.map((entry) => entry.pid).filter((pid) => pid !== process.pid));
  assert.ok(known.size > 0);
  const [own, ...others] = processTable(known).filter((entry) => entry.parent !== process.pid);
  assert.deepEqual([own?.pid, own?.parent], [process.pid, process.ppid]);
  assert.ok(others.every(({ pid }) => !known.has(pid)));
  assert.equal(hasCookie(process.pid, 'no such mark'), false);
  assert.equal(hasCookie(2 ** 22 + 1, 'gone'), undefined);
});

test('where there is no /proc, ps tells of parents and groups', () => {
  const own = fromPs().find((entry) => entry.pid === process.pid);
  assert.equal(own?.parent, process.ppid);
});

async function planted(launcher: 'auto' | 'posix' | 'node', how: string): Promise<Popen> {
  const child = new Popen([process.execPath, program, file, how], { launcher, stdout: PIPE });
  await once(child.stdout!, 'data');
  return child;
}

function pids(path = file): { all: number[]; daemon: number } {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const numbers = lines.map((line) => Number(line.replace('daemon ', '')));
  return { all: numbers, daemon: numbers[lines.findIndex((line) => line.startsWith('daemon'))]! };
}

// Orphans become zombies until whoever is their new parent gets to it.
async function ended(pid: number): Promise<void> {
  await processExit(pid, { timeout: 10 });
}
