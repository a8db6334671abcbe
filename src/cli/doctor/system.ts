import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Probe } from './finding.ts';

/** What is reached in the operating system through libc; each part has a substitute or says what goes without it. */
export function systemProbes(directory: string): Probe[] {
  const probe = (part: string, run: Probe['run']): Probe => ({ tier: 'system', part, optional: true, run });
  return [
    probe('libc', libc),
    probe('kernel locks', () => kernelLocks(directory)),
    probe('readiness of descriptors', readiness),
    probe('ends of processes', pidfd),
    probe('shared memory', sharedMemory),
    probe('queues and locks', queues),
    probe('starting programs', spawning),
    probe('fork', forking),
  ];
}

async function libc(): Promise<string> {
  const { koffi, libc: lookUp } = await import('../../os/libc.ts');
  const pid = lookUp('int getpid()')();
  if (pid !== process.pid) throw new Error(`getpid() is ${pid}, not ${process.pid}`);
  return `through koffi ${koffi().version}`;
}

async function kernelLocks(directory: string): Promise<string> {
  const { LOCK_EX, tryFlock } = await import('../../os/flock.ts');
  const [one, two] = [openSync(join(directory, 'lock'), 'w'), openSync(join(directory, 'lock'), 'w')];
  try {
    if (!tryFlock(one, LOCK_EX) || tryFlock(two, LOCK_EX)) throw new Error('flock does not exclude others here');
    return 'flock';
  } finally {
    closeSync(one);
    closeSync(two);
  }
}

async function readiness(): Promise<string> {
  const { pipe } = await import('../../os/descriptor.ts');
  const { poll, POLLIN } = await import('../../os/poll.ts');
  const [reader, writer] = pipe();
  try {
    writeSync(writer, 'x');
    const ready = await poll(reader, POLLIN, { timeout: 5 });
    if ((ready & POLLIN) === 0) throw new Error(`a pipe with a byte in it is not readable, but ${ready}`);
    return 'uv_poll';
  } finally {
    closeSync(reader);
    closeSync(writer);
  }
}

async function pidfd(): Promise<string> {
  const { pidfdOpen } = await import('../../os/pidfd.ts');
  closeSync(pidfdOpen(process.pid));
  return 'pidfd';
}

async function sharedMemory(): Promise<string> {
  const { memfd } = await import('../../os/memfd.ts');
  closeSync(memfd('simul-doctor', 4096));
  return 'memfd';
}

async function queues(): Promise<string> {
  const { Queue } = await import('../../multiprocessing/queue.ts');
  const { whyNoSharedMemory } = await import('../../ipc/process-region.ts');
  const queue = new Queue<string>();
  await queue.put('there');
  if ((await queue.get({ timeout: 5 })) !== 'there') throw new Error('a queue gave back something else');
  const reason = whyNoSharedMemory();
  if (reason === undefined) return 'tier 1: shared memory and futexes';
  throw new Error(`tier 2: queues and pipes over sockets, no locks or values, as ${reason}`);
}

async function spawning(): Promise<string> {
  const { hasCloneSpawn, hasPosixSpawn } = await import('../../os/spawn.ts');
  if (!hasPosixSpawn()) throw new Error(withoutPosixSpawn);
  const { run } = await import('../../subprocess/run.ts');
  const { returncode } = await run([process.execPath, '--version'], {
    captureOutput: true,
    timeout: 30,
  });
  if (returncode !== 0) throw new Error(`node --version ended with ${returncode}`);
  return hasCloneSpawn() ? 'clone3' : 'posix_spawn';
}

const withoutPosixSpawn =
  "by Node's own spawn: slower, signals ignored here are not ignored in the program, and a process group is always a session";

async function forking(): Promise<string> {
  const { forkFlags } = await import('../../os/fork.ts');
  const { run } = await import('../../subprocess/run.ts');
  const script = fileURLToPath(new URL('./fork-probe.js', import.meta.url));
  const command = [process.execPath, ...forkFlags, script];
  const { returncode, stderr } = await run(command, { captureOutput: true, text: true, timeout: 30 });
  if (returncode !== 0) throw new Error(stderr.trim() || `a program that forks ended with ${returncode}`);
  return `in programs started by "simul run", or node ${forkFlags.join(' ')}`;
}
