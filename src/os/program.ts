import { accessSync, constants, statSync } from 'node:fs';
import { constants as os } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { SystemError } from '../base/errors.ts';

const { ENOENT, EACCES, ENOTDIR } = os.errno;

/**
 * The path of a program as execvp would find it: names with a slash as they are (relative to `cwd`), others along
 * `path`. Without `verify` the former are left for the system to judge. Throws SystemError ENOENT, or EACCES if only files that may not be run were found, naming the program.
 */
export function findProgram(name: string, path: string, cwd: string | undefined, verify = true): string {
  if (name.includes('/')) {
    if (!verify) return name;
    const reason = refusal(cwd === undefined || isAbsolute(name) ? name : resolve(cwd, name));
    if (reason === undefined) return name;
    throw programError(reason, name);
  }
  let denied = false;
  for (const directory of path.split(delimiter)) {
    // An empty entry means the current directory, as it always has.
    const candidate = join(directory === '' ? '.' : directory, name);
    const reason = refusal(cwd === undefined || isAbsolute(candidate) ? candidate : resolve(cwd, candidate));
    if (reason === undefined) return isAbsolute(candidate) ? candidate : resolve(cwd ?? '.', candidate);
    denied ||= reason === 'EACCES';
  }
  throw programError(denied ? 'EACCES' : 'ENOENT', name);
}

/** Throws the operating system's error if the directory cannot be entered. */
export function checkDirectory(cwd: string): void {
  const stat = statSync(cwd, { throwIfNoEntry: false });
  if (stat === undefined) throw directoryError('ENOENT', ENOENT, cwd, 'no such directory to run in');
  if (!stat.isDirectory()) throw directoryError('ENOTDIR', ENOTDIR, cwd, 'not a directory to run in');
  try {
    accessSync(cwd, constants.X_OK);
  } catch (cause) {
    throw directoryError('EACCES', EACCES, cwd, 'permission denied', cause);
  }
}

function refusal(path: string): 'ENOENT' | 'EACCES' | undefined {
  let stat;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch {
    return 'EACCES'; // a directory on the way that may not be searched
  }
  if (stat === undefined) return 'ENOENT';
  if (!stat.isFile()) return 'EACCES';
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return 'EACCES';
  }
}

function programError(code: 'ENOENT' | 'EACCES', path: string): SystemError {
  const message = code === 'ENOENT' ? 'no such program' : 'permission denied';
  return new SystemError(code, code === 'ENOENT' ? ENOENT : EACCES, 'posix_spawn', { path, message });
}

function directoryError(code: string, errno: number, path: string, message: string, cause?: unknown): SystemError {
  return new SystemError(code, errno, 'chdir', { path, message, ...(cause !== undefined && { cause }) });
}
