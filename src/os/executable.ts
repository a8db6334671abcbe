import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { SystemError } from '../base/errors.ts';

/**
 * Throws what exec would answer for a file that may be executed and yet cannot: ENOEXEC for one that is neither a binary nor
 * begins with `#!`, ENOENT for a script whose interpreter is not there. For those who execute behind somebody else, whose
 * answer would be an exit code. A file that may not be read is left for the system to judge.
 */
export function checkFormat(path: string): void {
  if (process.platform !== 'linux') return;
  const head = beginning(path);
  if (head === undefined || head.startsWith('\x7fELF')) return;
  if (!head.startsWith('#!')) {
    if (!hasOtherFormats()) throw execError('ENOEXEC', path, 'exec format error');
    return;
  }
  const [interpreter] = head.slice(2).split('\n')[0]!.trim().split(/[ \t]/);
  if (interpreter!.startsWith('/') && statSync(interpreter!, { throwIfNoEntry: false }) === undefined)
    throw execError('ENOENT', path, `no such file or directory: its interpreter ${interpreter}`);
}

function beginning(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const bytes = Buffer.alloc(256); // as much as the kernel looks at
    return bytes.toString('latin1', 0, readSync(fd, bytes));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

// Formats a machine was taught (binfmt_misc), as Java archives or other processors' binaries.
function hasOtherFormats(): boolean {
  try {
    return readdirSync('/proc/sys/fs/binfmt_misc').some((name) => name !== 'register' && name !== 'status');
  } catch {
    return false;
  }
}

function execError(code: 'ENOEXEC' | 'ENOENT', path: string, message: string): SystemError {
  return new SystemError(code, constants.errno[code], 'execve', { path, message });
}
