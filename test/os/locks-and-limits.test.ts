import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { libc } from '../../src/os/libc.ts';
import * as os from '../../src/entry/os.ts';

let directory: string;
before(() => (directory = mkdtempSync(join(tmpdir(), 'simul-lock-'))));
after(() => rmSync(directory, { recursive: true }));

test('a lock is held by one opening, shared ones by many', async () => {
  const path = join(directory, 'lock');
  const [a, b] = [openSync(path, 'w'), openSync(path, 'w')];
  assert.equal(os.tryFlock(a, os.LOCK_EX), true);
  assert.equal(os.tryFlock(b, os.LOCK_EX), false);
  await assert.rejects(os.flock(b, os.LOCK_EX, { timeout: 0.01 }), { name: 'TimeoutError' });
  await assert.rejects(os.flock(b, os.LOCK_EX, { signal: AbortSignal.timeout(10) }), { name: 'CancelledError' });
  const waiting = os.flock(b, os.LOCK_EX, { timeout: 10 });
  os.tryFlock(a, os.LOCK_UN);
  await waiting;
  await os.flock(b, os.LOCK_SH);
  assert.equal(os.tryFlock(a, os.LOCK_SH), true);
  closeSync(a);
  closeSync(b);
  assert.throws(() => os.tryFlock(b, os.LOCK_EX), { code: 'EBADF', fd: b });
});

test('the kernel frees the lock of a holder that is killed', async () => {
  const path = join(directory, 'held');
  const fd = openSync(path, 'w');
  const holder = spawn('flock', [path, 'sh', '-c', 'echo held; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  assert.equal(os.tryFlock(fd, os.LOCK_EX), false);
  // Its child inherited the lock; both are one to the kernel.
  const child = Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'latin1').trim() || 0);
  holder.kill('SIGKILL');
  if (child > 0) os.kill(child, 'SIGKILL');
  await os.flock(fd, os.LOCK_EX, { timeout: 10 });
  closeSync(fd);
});

test('affinity, niceness and limits of a child', async () => {
  const child = spawn('sleep', ['60']);
  const pid = child.pid!;
  const [first] = os.schedGetaffinity();
  os.schedSetaffinity(pid, [first!]);
  assert.deepEqual([...os.schedGetaffinity(pid)], [first]);
  assert.throws(() => os.schedSetaffinity(pid, []), { code: 'EINVAL', syscall: 'sched_setaffinity' });
  assert.throws(() => os.schedSetaffinity(pid, [4096]), { name: 'InvalidArgumentError' });
  os.setrlimit('nofile', [10, 20], pid);
  assert.deepEqual(os.getrlimit('nofile', pid), [10, 20]);
  os.setrlimit('core', [0, Infinity], pid);
  assert.match(readFileSync(`/proc/${pid}/limits`, 'latin1'), /Max open files +10 +20/);
  assert.equal(os.getNice(pid), os.getNice());
  assert.throws(() => os.setrlimit('nonsense' as 'core', [0, 0], pid), { name: 'InvalidArgumentError' });
  child.kill();
  await once(child, 'exit');
  assert.throws(() => os.getrlimit('core', pid), { code: 'ESRCH' });
  assert.throws(() => os.getNice(pid), { code: 'ESRCH' });
  assert.ok(os.cpuCount() >= os.cpuCount({ usable: true }) || os.cpuCount() > 0);
  assert.equal(os.nice(0), os.getNice());
});

test('a memfd is a file without a path, its memory reserved', () => {
  const fd = os.memfd('test', 8192);
  assert.equal(fstatSync(fd).size, 8192);
  assert.equal(fstatSync(fd).blocks, 16);
  assert.equal(os.getInheritable(fd), false);
  writeSync(fd, 'data');
  os.close(fd);
  assert.throws(() => os.memfd('a\0b'), { name: 'InvalidArgumentError' });
  assert.throws(() => os.memfd('x', -1), { name: 'InvalidArgumentError' });
  assert.throws(() => os.memfd('x', 2 ** 50), { code: 'ENOSPC' });
});

test('the flags of a memfd: inherited or not, its size sealed or not', () => {
  const addSeals = libc('int fcntl(int fd, int cmd, int arg)');
  for (const [flags, inheritable, sealed] of [
    [os.MFD_CLOEXEC, false, -1],
    [0, true, -1],
    [os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING, false, 0],
  ] as const) {
    const fd = os.memfd('flags', 4096, flags);
    assert.equal(os.getInheritable(fd), inheritable);
    assert.equal(addSeals(fd, 1033, 2), sealed); // F_ADD_SEALS, F_SEAL_SHRINK
    os.close(fd);
  }
});

test('process ids, groups and sessions', async () => {
  assert.equal(os.getpid(), process.pid);
  assert.equal(os.getppid(), process.ppid);
  assert.equal(os.getpgid(), os.getpgid(process.pid));
  assert.ok(os.getsid() >= 0);
  const child = spawn('sleep', ['60'], { detached: true });
  assert.equal(os.getsid(child.pid), child.pid);
  assert.equal(os.getpgid(child.pid), child.pid);
  assert.throws(() => os.setpgid(child.pid!, 0), { name: 'SystemError', code: 'EPERM' });
  os.kill(child.pid!, 0);
  os.killpg(child.pid!, 'SIGTERM');
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGTERM');
});

test('kill refuses what the system refuses', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  assert.throws(() => os.kill(child.pid!, 'SIGTERM'), { name: 'SystemError', code: 'ESRCH', syscall: 'kill' });
  assert.throws(() => os.kill(process.pid, 1000), { code: 'EINVAL' });
  assert.throws(() => os.kill(process.pid, 'SIGNOPE' as 'SIGTERM'), { name: 'InvalidArgumentError' });
  assert.throws(() => os.kill(2 ** 40, 0), { name: 'InvalidArgumentError', argument: 'pid' });
  assert.throws(() => os.killpg(1, 0), { name: 'InvalidArgumentError', argument: 'pgid' });
  assert.throws(() => os.pidfdOpen(child.pid!), { code: 'ESRCH', syscall: 'pidfd_open' });
});

test('a pidfd signals exactly its process', async () => {
  const child = spawn('sleep', ['60']);
  const fd = os.pidfdOpen(child.pid!);
  os.pidfdSendSignal(fd, 'SIGINT');
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGINT');
  assert.throws(() => os.pidfdSendSignal(fd, 'SIGINT'), { code: 'ESRCH' });
  os.close(fd);
});

test('the wait status macros take statuses apart', () => {
  const cases: [number, number | undefined][] = [
    [0, 0],
    [256, 1],
    [0xff00, 255],
    [9, -9],
    [0x80 | 11, -11],
    [0x137f, undefined],
    [0xffff, undefined],
  ];
  for (const [status, code] of cases) {
    if (code === undefined) assert.throws(() => os.waitstatusToExitcode(status), { name: 'InvalidArgumentError' });
    else assert.equal(os.waitstatusToExitcode(status), code);
  }
  assert.equal(os.WCOREDUMP(0x80 | 11), true);
  assert.equal(os.WSTOPSIG(0x137f), 19);
  assert.equal(os.WIFCONTINUED(0xffff), true);
  assert.equal(os.WIFSIGNALED(0x137f), false);
});

test('arguments that are none are refused by name', async () => {
  const refused = (name: string) => ({ name: 'InvalidArgumentError', message: new RegExp(`^${name}`) });
  const wrong = os as unknown as Record<string, (...args: unknown[]) => unknown>;
  const [r, w] = os.pipe();
  for (const [name, call, ...args] of [
    ['limits', 'setrlimit', 'core', 0],
    ['pid', 'pidfdOpen', 'x'],
    ['pid', 'schedSetaffinity', 'x', [0]],
    ['processors', 'schedSetaffinity', 0, 5],
    ['mode', 'mkfifo', join(directory, 'fifo'), '600'],
    ['operation', 'tryFlock', r, 99],
    ['operation', 'flockSync', r, 99],
    ['flags', 'memfd', 'm', 1, null],
    ['hooks', 'registerAtFork', null],
    ['options', 'fdopen', r, 'r', null],
    ['options', 'waitSync', null],
    ['options', 'waitpidSync', -1, 0, null],
  ] as const) {
    assert.throws(() => wrong[call]!(...args), refused(name), call);
  }
  for (const [name, call, ...args] of [
    ['data', 'write', w, 5],
    ['size', 'read', r, 2 ** 40],
    ['operation', 'flock', r, 99],
    ['options', 'flock', r, os.LOCK_EX, null],
    ['options', 'poll', w, os.POLLOUT, null],
    ['options', 'openFifo', 'a', 'r', null],
    ['options', 'wait', null],
    ['options', 'waitpid', -1, 0, null],
    ['options', 'processExit', process.pid, null],
    ['path', 'openFifo', 'a\0b', 'r'],
    ['whenWritersLeave', 'openFifo', 'a', 'r', { whenWritersLeave: 'never' }],
  ] as const) {
    await assert.rejects(async () => wrong[call]!(...args), refused(name), call);
  }
  os.close(r);
  os.close(w);
});
