import { getBlocking, setBlocking, setInheritable } from './descriptor.ts';
import { environmentFor } from './environ.ts';
import { libc, systemError } from './libc.ts';

/**
 * Makes this process run another program, with our environment and standard streams: same pid, so signals, terminal and
 * waiting parents are its own from then on. Returns only by throwing SystemError. Nothing is flushed. Linux. execve(2).
 *
 * @example
 * execve('/bin/date', ['date', '-u']);
 */
export function execve(path: string, argv: readonly string[]): never {
  const call = libc('int execve(str path, char **argv, void *envp)');
  const envp = environmentFor({ added: undefined });
  for (const fd of [0, 1, 2]) giveStandardStream(fd);
  call(path, [...argv, null], envp.pointers);
  throw systemError('execve', { path });
}

// Node marks its standard streams close-on-exec, and libuv makes them non-blocking: the next program expects neither.
function giveStandardStream(fd: number): void {
  try {
    setInheritable(fd, true);
    if (!getBlocking(fd)) setBlocking(fd, true);
  } catch {
    // Closed it is, and stays.
  }
}
