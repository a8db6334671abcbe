import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDirectory } from '../../base/directory.ts';
import { InvalidArgumentError, SystemError } from '../../base/errors.ts';

/** Where a database and what belongs to it lies. */
export interface DatabaseLocation {
  readonly path: string;
  /** Lock files and wake files. */
  readonly locks: string;
}

/**
 * The file a URL names: `sqlite://` is `.simul/simul.db` here, `sqlite:name.db` is relative, `sqlite:///name.db` absolute.
 */
export function locate(url: string, cwd: string = process.cwd()): DatabaseLocation {
  const rest = url.replace(/^sqlite:/i, '').replace(/[?#].*$/s, '');
  const path = pathIn(rest, url);
  const full = resolve(cwd, path === '' ? '.simul/simul.db' : path);
  return { path: full, locks: `${full}-locks` };
}

function pathIn(rest: string, url: string): string {
  try {
    return rest.startsWith('///') ? fileURLToPath(`file:${rest}`) : decodeURIComponent(rest.replace(/^\/\//, ''));
  } catch {
    throw new InvalidArgumentError('broker', url, 'a URL whose path can be decoded: sqlite:///path/to/file.db');
  }
}

/**
 * Makes the file and its directories, readable to their owner alone, and checks that they can be used. Never opens the
 * file: closing it again would drop the locks which SQLite holds on it in this process (fcntl(2)).
 */
export function prepare(location: DatabaseLocation): void {
  const { path, locks } = location;
  const directory = dirname(path);
  try {
    const made = makeDirectory(directory, 0o700);
    if (made !== undefined) {
      ignoreInGit(directory);
      sync(dirname(made));
    }
    create(path);
    check(path, directory);
    makeDirectory(locks, 0o700);
  } catch (cause) {
    throw cause instanceof SystemError ? cause : openFailed(cause, path);
  }
}

function create(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  // An empty file is a new database. Linked rather than created, so that it is never there with other permissions.
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(fresh, '', { mode: 0o600 });
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}

function ignoreInGit(directory: string): void {
  if (basename(directory) === '.simul') writeFileSync(join(directory, '.gitignore'), '*\n');
}

/** SQLite syncs the directory of its files, but knows nothing of the one above. */
function sync(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function check(path: string, directory: string): void {
  const file = statSync(path);
  if (!file.isFile() && !file.isDirectory()) {
    const message = `${JSON.stringify(path)} is no regular file; name another for the database`;
    throw new SystemError('EINVAL', 22, 'open', { path, message });
  }
  if (file.isDirectory()) {
    const message = 'a directory stands where the database should be; name a file in it';
    throw new SystemError('EISDIR', 21, 'open', { path, message });
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw openFailed(cause, path);
  }
}

function openFailed(cause: unknown, path: string): Error {
  const { code = 'EIO', errno = -5, path: where = path } = cause as NodeJS.ErrnoException;
  const message = `the database ${JSON.stringify(path)} cannot be used: ${advice[code] ?? 'see the cause'}`;
  return new SystemError(code, -errno, 'open', { path: where, message, cause });
}

const advice: Record<string, string> = {
  EACCES: 'no permission; SQLite must write the file and its directory, so give this user the right to',
  EPERM: 'no permission; SQLite must write the file and its directory, so give this user the right to',
  EROFS: 'its file system is read-only; name a file elsewhere',
  ENOSPC: 'the disk is full; free some space',
  ENOTDIR: 'a part of its path is not a directory',
  EEXIST: 'a part of its path is not a directory',
  ENOENT: 'its directory does not exist and cannot be made',
};
