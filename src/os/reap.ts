import { constants } from 'node:os';
import { errno, libc, systemError } from './libc.ts';

/** waitpid(2) options: do not wait; tell of stopped children too; of continued ones too. */
export const WNOHANG = 1;
export const WUNTRACED = 2;
export const WCONTINUED = 8;

const { ECHILD, EINTR } = constants.errno;
const [P_ALL, WEXITED, WNOWAIT] = [0, 4, 0x01000000];
const siginfo = Buffer.alloc(128);
const pidOffset = 16;

/**
 * One call of waitpid(2) for one child: its status if it has one to tell (ended children are thereby reaped),
 * `undefined` if not yet, 'gone' if it is no child of ours any more. Blocks unless WNOHANG is given.
 */
export function reap(pid: number, options: number): number | undefined | 'gone' {
  const call = libc('int waitpid(int pid, _Out_ int *status, int options)') as (
    pid: number,
    status: number[],
    options: number,
  ) => number;
  const status = [0];
  for (;;) {
    const result = call(pid, status, options);
    if (result > 0) return status[0]!;
    if (result === 0) return undefined;
    const number = errno();
    if (number === ECHILD) return 'gone';
    if (number !== EINTR) throw systemError('waitpid', { errno: number });
  }
}

/** A child, whosever, that has ended and was not reaped yet; 0 if there is none. waitid(2). */
export function peekEnded(): number {
  siginfo.writeInt32LE(0, pidOffset);
  const call = libc('int waitid(int kind, int id, void *info, int options)');
  return call(P_ALL, 0, siginfo, WEXITED | WNOHANG | WNOWAIT) < 0 ? 0 : siginfo.readInt32LE(pidOffset);
}
