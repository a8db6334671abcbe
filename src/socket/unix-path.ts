import { closeSync, lstatSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { SystemError } from '../base/errors.ts';
import { close } from '../os/descriptor.ts';
import { LOCK_EX, tryFlock } from '../os/flock.ts';
import { encodeAddress } from './address.ts';
import { AF_UNIX } from './constants.ts';
import { bind, connect, openSocket } from './native.ts';

const { ECONNREFUSED } = constants.errno;

/** The file that a bound UNIX socket is in the file system; other than by its identity it may be somebody else's. */
export interface SocketFile {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/**
 * Binds to a path; a socket file there is replaced if it is a dead program's. Programs that find the same dead file take
 * turns by a lock on its folder, or one would remove the file the other has just made.
 */
export function bindPath(fd: number, type: number, path: string): SocketFile | undefined {
  const bytes = encodeAddress(AF_UNIX, path);
  if (path === '' || path.startsWith('\0')) {
    bind(fd, bytes, path);
    return undefined;
  }
  try {
    bind(fd, bytes, path);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EADDRINUSE') throw error;
    inTurn(path, error, () => {
      if (!isStale(path, type)) throw error;
      unlinkSync(path);
      bind(fd, bytes, path);
    });
  }
  const { dev: device, ino: inode } = lstatSync(path);
  return { path, device, inode };
}

/** Removes the file of a socket, unless another socket has taken its place. */
export function removeFile({ path, device, inode }: SocketFile): void {
  try {
    const now = lstatSync(path);
    if (now.dev === device && now.ino === inode) unlinkSync(path);
  } catch {
    // Gone already, with its folder perhaps.
  }
}

// Whoever holds the lock is about to bind to a path of this folder, or looks who does: the path counts as taken.
function inTurn(path: string, taken: Error, body: () => void): void {
  const folder = openSync(dirname(path), 'r');
  try {
    if (!tryFlock(folder, LOCK_EX)) throw taken;
    body();
  } finally {
    closeSync(folder);
  }
}

// Nobody answers and, for one that is bound and does not listen yet, nobody in this network namespace has it.
function isStale(path: string, type: number): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return false;
  const probe = openSocket(AF_UNIX, type, 0);
  try {
    return connect(probe, encodeAddress(AF_UNIX, path)) === ECONNREFUSED && !isBound(path);
  } finally {
    close(probe);
  }
}

function isBound(path: string): boolean {
  try {
    return readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .some((line) => line.endsWith(` ${path}`));
  } catch {
    return false;
  }
}
