import { closeSync, constants, fstatSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { InvalidArgumentError, SystemError, UnsupportedError } from '../base/errors.ts';
import { LOCK_EX, LOCK_SH, tryFlock } from '../os/flock.ts';
import type { Mapping } from './mapping.ts';
import { forget, map, reserve } from './mapping.ts';

const directory = '/dev/shm';
const prefix = 'simul.';
const mode = 0o600;

/** Memory with a name, by which unrelated processes of one user find it. */
export interface NamedSegment {
  readonly name: string;
  readonly size: number;
  readonly mapping: Mapping;
  readonly fd: number;
}

/**
 * Makes a segment. Whoever has it open holds a shared lock on its file; the one who closes last removes it, and what a
 * process killed while alone with it left behind is swept away by the next that makes one. No tracker process is needed.
 */
export function createSegment(name: string, size: number): NamedSegment {
  checkPlatform();
  if (!Number.isSafeInteger(size) || size < 1)
    throw new InvalidArgumentError('size', size, 'a number of bytes, 1 or more');
  const path = pathOf(name);
  sweep();
  const fd = openNew(name, path);
  try {
    tryFlock(fd, LOCK_SH);
    reserve(fd, size, path);
    return { name, size, fd, mapping: map(fd, size) };
  } catch (error) {
    unlinkSync(path);
    closeSync(fd);
    throw error;
  }
}

/** Opens a segment that another has made. */
export function openSegment(name: string, least = 1): NamedSegment {
  checkPlatform();
  const path = pathOf(name);
  const fd = openExisting(name, path);
  const { size, nlink } = fstatSync(fd);
  // Its last owner may be removing it at this moment.
  if (!tryFlock(fd, LOCK_SH) || fstatSync(fd).nlink === 0 || nlink === 0) {
    closeSync(fd);
    throw missing(name, path);
  }
  if (size < least) {
    closeSync(fd);
    throw new InvalidArgumentError('size', least, `at most the ${size} bytes that shared memory ${name} has`);
  }
  return { name, size, fd, mapping: map(fd, size) };
}

/**
 * The same segment with an opening of its own, for a forked child: a lock belongs to the opening, which it shares with its
 * parent, and its giving up would be taken for the last.
 */
export function reopenSegment(segment: NamedSegment): NamedSegment {
  const fd = openSync(`/proc/self/fd/${segment.fd}`, constants.O_RDWR);
  tryFlock(fd, LOCK_SH);
  closeSync(segment.fd);
  return { ...segment, fd };
}

/** Gives the memory up here; the last to do so removes the segment. */
export function closeSegment({ name, fd, mapping, size }: NamedSegment): void {
  forget(mapping, size);
  if (tryFlock(fd, LOCK_EX) && fstatSync(fd).nlink > 0) unlinkSegment(name);
  closeSync(fd);
}

/** Removes the name; who has the segment open keeps it. False if there was none. */
export function unlinkSegment(name: string): boolean {
  try {
    unlinkSync(pathOf(name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Removes the segments that nobody has open any more. */
export function sweep(): void {
  for (const file of readdirSync(directory)) if (file.startsWith(prefix)) sweepOne(`${directory}/${file}`);
}

function sweepOne(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch {
    return; // another user's, or just gone
  }
  try {
    // An empty one is just being made by somebody who has not locked it yet.
    if (fstatSync(fd).size > 0 && tryFlock(fd, LOCK_EX)) unlinkSync(path);
  } catch {
    // Swept by another at the same time.
  } finally {
    closeSync(fd);
  }
}

function openNew(name: string, path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags, mode);
  } catch (cause) {
    const { code, errno = 0 } = cause as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw cause;
    const message = `there is shared memory named ${JSON.stringify(name)} already`;
    throw new SystemError('EEXIST', -errno, 'open', { path, message, cause });
  }
}

function openExisting(name: string, path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw missing(name, path);
    throw cause;
  }
}

function missing(name: string, path: string): SystemError {
  return new SystemError('ENOENT', 2, 'open', { path, message: `no shared memory is named ${JSON.stringify(name)}` });
}

function pathOf(name: string): string {
  if (typeof name === 'string' && /^[^/\0]{1,200}$/.test(name)) return `${directory}/${prefix}${name}`;
  throw new InvalidArgumentError('name', name, 'a name of 1 to 200 characters without slashes');
}

function checkPlatform(): void {
  if (process.platform !== 'linux') throw new UnsupportedError('shared memory by name needs Linux');
}
