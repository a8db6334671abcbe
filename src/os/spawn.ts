import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { O_NONBLOCK, setBlocking } from './descriptor.ts';
import { duplicate } from './duplicate.ts';
import { libc, systemError } from './libc.ts';
import { mostCalls, spawnByClone } from './spawn-clone.ts';
import { spawnByLibc } from './spawn-libc.ts';
import type { FdSource, SpawnRequest, Started } from './spawn-plan.ts';

export { hasCloneSpawn } from './spawn-clone.ts';
export { hasPosixSpawn } from './spawn-libc.ts';
export type { FdSource } from './spawn-plan.ts';

const F_GETFL = 3;
const { EBADF } = constants.errno;

/**
 * Starts a program in 0.1 ms however large this process is (Node's own spawn copies the page tables): by clone3(2), or by
 * posix_spawn(3) where that is asked for or the former cannot be. Throws SystemError; nothing is left behind then. Linux
 * with glibc only.
 */
export function spawnProgram(request: SpawnRequest, how?: 'clone' | 'posix'): Started {
  const opened: number[] = [];
  try {
    const sources = request.fds.map((source, target) => safeSource(source, target, request.fds.length, opened));
    const passFds = [...(request.passFds ?? [])].sort((a, b) => a - b);
    for (const fd of passFds) checkOpen(fd);
    const plan = { ...request, sources, passFds };
    const tooMany = sources.length + 2 * passFds.length > mostCalls / 2;
    return (how === 'posix' || tooMany ? undefined : spawnByClone(plan)) ?? spawnByLibc(plan);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

// A source below the number of targets would be overwritten by an earlier step; it is moved out of the way. A stdio
// descriptor that libuv made non-blocking would give the child EAGAIN.
function safeSource(source: FdSource, target: number, count: number, opened: number[]): number {
  if (source === 'null') return nullDevice(count, opened);
  const flags = libc('int fcntl(int fd, int cmd, int arg)')(source, F_GETFL, 0);
  if (flags < 0) {
    // A closed stdio descriptor, inherited, stays closed for Python; a null device does no harm and spares surprises.
    if (source === target && target <= 2) return nullDevice(count, opened);
    throw systemError('dup2', { fd: source, errno: EBADF });
  }
  if ((flags & O_NONBLOCK) !== 0) setBlocking(source, true);
  return source === target || source >= count ? source : moved(source, count, opened);
}

function checkOpen(fd: number): void {
  if (libc('int fcntl(int fd, int cmd, int arg)')(fd, F_GETFL, 0) < 0) throw systemError('fcntl', { fd });
}

function nullDevice(count: number, opened: number[]): number {
  const fd = openSync('/dev/null', 'r+');
  opened.push(fd);
  return fd >= count ? fd : moved(fd, count, opened);
}

function moved(fd: number, count: number, opened: number[]): number {
  const copy = duplicate(fd, Math.max(count, 10));
  opened.push(copy);
  return copy;
}
