import { constants } from 'node:os';
import { InvalidArgumentError, SystemError } from '../base/errors.ts';
import { checked, libc } from './libc.ts';

/** This process's id, as the kernel has it (after `fork` too). */
export function getpid(): number {
  return libc('int getpid()')();
}

/** The parent's id; it changes when the parent dies first. */
export function getppid(): number {
  return libc('int getppid()')();
}

/**
 * Sends a signal, by number or name, to a process (`pid` > 0), to our process group (0), to a group (-pgid) or to all
 * we may (-1). Signal 0 only asks whether it exists. Throws SystemError: ESRCH, EPERM, EINVAL. kill(2).
 *
 * @example
 * kill(child.pid, 'SIGTERM');
 */
export function kill(pid: number, signal: number | NodeJS.Signals): void {
  checkPid(pid);
  try {
    process.kill(pid, signalNumber(signal));
  } catch (cause) {
    const { code, errno } = cause as NodeJS.ErrnoException;
    if (code === undefined || errno === undefined) throw cause;
    const message = `signal ${signal} to ${pid < 0 ? `group ${-pid}` : `process ${pid}`} not sent`;
    throw new SystemError(code, -errno, 'kill', { message, cause });
  }
}

/** Sends a signal to every process of a group (0: our own). killpg(3). */
export function killpg(pgid: number, signal: number | NodeJS.Signals): void {
  // kill(-1) would mean every process there is.
  if (checkPid(pgid) < 0 || pgid === 1) throw new InvalidArgumentError('pgid', pgid, '0 or a group id above 1');
  kill(-pgid, signal);
}

/** Starts a session of its own, without a terminal; returns its id. EPERM for a group leader. setsid(2). */
export function setsid(): number {
  return checked(libc('int setsid()')(), 'setsid');
}

/** Moves a process (0: this one) into a group (0: its own). setpgid(2). */
export function setpgid(pid: number, pgid: number): void {
  checked(libc('int setpgid(int pid, int pgid)')(checkPid(pid), checkPid(pgid)), 'setpgid');
}

/** The process group of a process (0: this one). getpgid(2). */
export function getpgid(pid = 0): number {
  return checked(libc('int getpgid(int pid)')(checkPid(pid)), 'getpgid');
}

/** The session of a process (0: this one). getsid(2). */
export function getsid(pid = 0): number {
  return checked(libc('int getsid(int pid)')(checkPid(pid)), 'getsid');
}

/** A signal's number; names as in `Signals`. Numbers out of range are left for the kernel to refuse. */
export function signalNumber(signal: number | string): number {
  if (Number.isInteger(signal)) return signal as number;
  const number = (constants.signals as Record<string, number>)[signal as string];
  if (number === undefined) throw new InvalidArgumentError('signal', signal, 'a signal number or name, as SIGTERM');
  return number;
}

/** Throws unless it can be a process id. */
export function checkPid(pid: number): number {
  if (!Number.isInteger(pid) || Math.abs(pid) > 0x7fffffff) throw new InvalidArgumentError('pid', pid, 'a process id');
  return pid;
}
