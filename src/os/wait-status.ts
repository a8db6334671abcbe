import { InvalidArgumentError } from '../base/errors.ts';

/** The child ended by exit (wait(2)). */
export function WIFEXITED(status: number): boolean {
  return (status & 0x7f) === 0;
}

/** The exit code, if WIFEXITED. */
export function WEXITSTATUS(status: number): number {
  return (status >> 8) & 0xff;
}

/** The child was ended by a signal. */
export function WIFSIGNALED(status: number): boolean {
  const signal = status & 0x7f;
  return signal !== 0 && signal !== 0x7f;
}

/** The number of that signal, if WIFSIGNALED. */
export function WTERMSIG(status: number): number {
  return status & 0x7f;
}

/** The signal's death left a core dump. */
export function WCOREDUMP(status: number): boolean {
  return (status & 0x80) !== 0;
}

/** The child is stopped (WUNTRACED). */
export function WIFSTOPPED(status: number): boolean {
  return (status & 0xff) === 0x7f;
}

/** The signal that stopped it, if WIFSTOPPED. */
export function WSTOPSIG(status: number): number {
  return (status >> 8) & 0xff;
}

/** The child was continued (WCONTINUED). */
export function WIFCONTINUED(status: number): boolean {
  return status === 0xffff;
}

/**
 * A wait status as an exit code: 0 or more for an exit, -N for death by signal N. A stopped child has none.
 *
 * @example
 * const [pid, status] = await wait(); console.log(waitstatusToExitcode(status));
 */
export function waitstatusToExitcode(status: number): number {
  if (WIFSTOPPED(status) || WIFCONTINUED(status))
    throw new InvalidArgumentError('status', status, 'the status of a child that has ended; this one was stopped');
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
