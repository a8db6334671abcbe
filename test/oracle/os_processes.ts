// The same as os_processes.py, through ours; the lines are compared with those of CPython.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as os from '../../src/entry/os.ts';
import { _exit } from '../../src/entry/os.ts';
import { InvalidArgumentError, SystemError } from '../../src/entry/errors.ts';

function say(name: string, ...values: unknown[]): void {
  console.log(JSON.stringify([name, ...values.map((value) => value ?? null)]));
}

/** The system's name of the error, 'refused' for an argument that cannot be, or what it gave. */
async function error(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (failure) {
    if (failure instanceof SystemError) return failure.code;
    if (failure instanceof InvalidArgumentError) return 'refused';
    throw failure;
  }
}

/** In the child it never returns: that goes by what `fn` gives, as soon as it has. */
async function child(fn: () => unknown): Promise<number> {
  const pid = os.fork();
  if (pid !== 0) return pid;
  return _exit(Number((await fn()) ?? 0));
}

async function takenApart(status: number): Promise<unknown[]> {
  const code = await error(() => os.waitstatusToExitcode(status));
  const parts: unknown[] = [
    os.WIFEXITED(status),
    os.WIFSIGNALED(status),
    os.WIFSTOPPED(status),
    os.WIFCONTINUED(status),
  ];
  if (os.WIFEXITED(status)) parts.push(os.WEXITSTATUS(status));
  if (os.WIFSIGNALED(status)) parts.push(os.WTERMSIG(status), os.WCOREDUMP(status));
  if (os.WIFSTOPPED(status)) parts.push(os.WSTOPSIG(status));
  return [code, ...parts];
}

function state(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[0];
  } catch {
    return undefined;
  }
}

const byNumber = (a: number, b: number): number => a - b;
const asleep = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const text = (bytes: Buffer): string => bytes.toString();
const octal = (mode: number): string => `0o${(mode & 0o777).toString(8)}`;

async function ended(name: string, fn: () => unknown, then?: (pid: number) => void): Promise<void> {
  const pid = await child(fn);
  then?.(pid);
  const [got, status] = await os.waitpid(pid);
  say(name, got === pid, await takenApart(status));
}

async function statuses(): Promise<void> {
  await ended('exit 0', () => 0);
  await ended('exit 7', () => 7);
  await ended('exit 300', () => 300);
  await ended('SIGTERM', asleep, (pid) => os.kill(pid, 'SIGTERM'));
  await ended('SIGKILL', asleep, (pid) => os.kill(pid, 'SIGKILL'));
  const pid = await child(asleep);
  say('running', await os.waitpid(pid, os.WNOHANG));
  os.kill(pid, 'SIGSTOP');
  const [, stopped] = await os.waitpid(pid, os.WUNTRACED);
  say('stopped', await takenApart(stopped), await os.waitpid(pid, os.WNOHANG | os.WUNTRACED));
  os.kill(pid, 'SIGCONT');
  say('continued', await takenApart((await os.waitpid(pid, os.WCONTINUED))[1]));
  os.kill(pid, 'SIGKILL');
  say('killed', await takenApart((await os.waitpid(pid))[1]));
  say('reaped', await error(() => os.waitpid(pid)));
}

async function waits(): Promise<void> {
  const none = [() => os.wait(), () => os.waitpid(-1, os.WNOHANG), () => os.waitpid(1)];
  say('nobody', await error(none[0]!), await error(none[1]!), await error(none[2]!));
  const pids = [await child(() => 1), await child(() => 2), await child(() => 3)];
  const got = [await os.wait(), await os.wait(), await os.wait()];
  const same = JSON.stringify(got.map(([pid]) => pid).toSorted(byNumber)) === JSON.stringify(pids.toSorted(byNumber));
  say('any', same, got.map(([, status]) => os.waitstatusToExitcode(status)).toSorted(byNumber));
  const group = await child(() => (os.setpgid(0, 0), asleep()));
  while (os.getpgid(group) !== group) await turn();
  os.killpg(group, 'SIGTERM');
  say('group', JSON.stringify(await os.waitpid(-group)) === JSON.stringify([group, 15]));
}

async function zombie(): Promise<number> {
  const pid = await child(() => 0);
  while (state(pid) !== 'Z') await turn();
  say('zombie', state(pid), (await os.waitpid(pid))[0] === pid, state(pid));
  return pid;
}

async function processes(gone: number): Promise<void> {
  const parent = os.getpid();
  await ended('parent', () => (os.getppid() === parent && os.getpid() !== parent ? 0 : 1));
  await ended('setsid', () => {
    os.setsid();
    return [os.getsid(), os.getpgid()].every((id) => id === os.getpid()) ? 0 : 1;
  });
  await ended('setsid twice', async () => {
    os.setsid();
    return (await error(os.setsid)) === 'EPERM' ? 0 : 1;
  });
  await ended('setpgid', () => (os.setpgid(0, 0), os.getpgid() === os.getpid() ? 0 : 1));
  say(
    'kill',
    await error(() => os.kill(parent, 0)),
    await error(() => os.kill(gone, 0)),
    await error(() => os.kill(parent, 999)),
  );
  say(
    'getpgid',
    await error(() => os.getpgid(gone)),
    await error(() => os.getsid(gone)),
    await error(() => os.setpgid(gone, 0)),
  );
  say('nice', os.nice(0) === os.getNice());
  await ended('nicer', () => (os.nice(3) - 3 === os.getNice(os.getppid()) ? 3 : 0));
  await ended('affinity', () => (os.schedSetaffinity(0, [0]), os.schedGetaffinity(0).size));
}

async function hooks(): Promise<void> {
  const events: string[] = [];
  for (const n of [1, 2]) {
    os.registerAtFork({
      before: () => events.push(`before ${n}`),
      afterInParent: () => events.push(`parent ${n}`),
      afterInChild: () => events.push(`child ${n}`),
    });
  }
  const [r, w] = os.pipe();
  const pid = await child(async () => void (await os.write(w, JSON.stringify(events))));
  say('hooks', events, JSON.parse(text(await os.read(r, 1000))));
  await os.waitpid(pid);
}

async function pipes(): Promise<void> {
  const [r, w] = os.pipe();
  say('flags', os.getInheritable(r), os.getInheritable(w), os.getBlocking(r), os.getBlocking(w));
  say('pipe', await os.write(w, 'hello'), text(await os.read(r, 3)), text(await os.read(r, 100)));
  os.setBlocking(w, true);
  os.setInheritable(r, true);
  os.setBlocking(r, false);
  say('set', os.getInheritable(r), os.getBlocking(r), os.getInheritable(w), os.getBlocking(w));
  const [pr, pw] = os.pipe2(os.O_NONBLOCK);
  say('pipe2', os.getInheritable(pr), os.getBlocking(pr), os.getBlocking(pw));
  const copy = os.dup(w);
  const dups = [os.dup2(w, pw) === pw, os.getInheritable(pw), os.dup2(w, pw, false) === pw, os.getInheritable(pw)];
  say('dup', os.getInheritable(copy), copy !== w, ...dups);
  os.close(w);
  os.close(copy);
  await os.write(pw, 'last');
  os.close(pw);
  say('end', text(await os.read(r, 100)), text(await os.read(r, 100)));
  await brokenPipes(w);
}

async function brokenPipes(closed: number): Promise<void> {
  const calls = [
    () => os.close(closed),
    () => os.write(closed, 'x'),
    () => os.read(closed, 1),
    () => os.dup(closed),
    () => os.dup2(closed, 50),
    () => os.getBlocking(closed),
  ];
  const outcomes: unknown[] = [];
  for (const call of calls) outcomes.push(await error(call));
  say('closed', ...outcomes);
  const [br, bw] = os.pipe();
  os.close(br);
  say('broken', await error(() => os.write(bw, 'x')));
  const [fr, fw] = os.pipe();
  const pid = await child(async () => void (await os.write(fw, 'from the child')));
  os.close(fw);
  say('forked', text(await os.read(fr, 100)), text(await os.read(fr, 100)), (await os.waitpid(pid))[1]);
}

async function fifos(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'simul-oracle-'));
  const path = join(directory, 'fifo');
  process.umask(0o022);
  os.mkfifo(path);
  const found = statSync(path);
  const again = await error(() => os.mkfifo(path));
  say('mkfifo', found.isFIFO(), octal(found.mode), again, await error(() => os.mkfifo(join(directory, 'no', 'fifo'))));
  os.mkfifo(`${path}2`, 0o600);
  say('mode', octal(statSync(`${path}2`).mode));
  const pid = await child(async () => {
    const fifo = await os.openFifo(path, 'w');
    await new Promise<void>((resolve) => fifo.end('over the FIFO', resolve));
  });
  const pieces: Buffer[] = [];
  for await (const piece of await os.openFifo(path, 'r')) pieces.push(piece as Buffer);
  say('told', text(Buffer.concat(pieces)), (await os.waitpid(pid))[1]);
  rmSync(directory, { recursive: true });
}

await statuses();
await waits();
await processes(await zombie());
await hooks();
await pipes();
await fifos();
