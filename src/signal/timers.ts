import { checkSeconds } from '../base/deadline.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { checked, libc } from '../os/libc.ts';

/** Real time; sends SIGALRM. */
export const ITIMER_REAL = 0;
/** CPU time of the program; sends SIGVTALRM. */
export const ITIMER_VIRTUAL = 1;
/** CPU time of the program and of the kernel for it; sends SIGPROF. */
export const ITIMER_PROF = 2;

/**
 * Has SIGALRM sent to this process in so many whole seconds (0: never), in place of any alarm before; returns the seconds
 * that one had left. Its default ends the program. alarm(2).
 *
 * @example
 * signal('SIGALRM', () => console.log('late')); alarm(2);
 */
export function alarm(seconds: number): number {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > 0xffffffff)
    throw new InvalidArgumentError('seconds', seconds, 'a whole number of seconds');
  return libc('unsigned int alarm(unsigned int seconds)')(seconds);
}

/**
 * As `alarm`, to the microsecond, again every `interval` seconds if that is not 0, and on the clock of `which`. Returns
 * the delay and interval before. A fork's child has no timers. setitimer(2).
 *
 * @example
 * setitimer(ITIMER_REAL, 0.5, 0.1);
 */
export function setitimer(which: number, seconds: number, interval = 0): [delay: number, interval: number] {
  checkDelay('seconds', seconds);
  checkDelay('interval', interval);
  const [value, old] = [Buffer.alloc(32), Buffer.alloc(32)];
  write(value, 0, interval);
  write(value, 16, seconds);
  checked(libc('int setitimer(int which, void *value, void *old)')(checkWhich(which), value, old), 'setitimer');
  return [read(old, 16), read(old, 0)];
}

/** Delay until the next signal of a timer, and its interval. getitimer(2). */
export function getitimer(which: number): [delay: number, interval: number] {
  const now = Buffer.alloc(32);
  checked(libc('int getitimer(int which, void *value)')(checkWhich(which), now), 'getitimer');
  return [read(now, 16), read(now, 0)];
}

function write(timer: Buffer, offset: number, seconds: number): void {
  const whole = Math.floor(seconds);
  timer.writeBigInt64LE(BigInt(whole), offset);
  // Not rounded to nothing: zero would disarm the timer.
  const micro = Math.floor((seconds - whole) * 1e6);
  timer.writeBigInt64LE(BigInt(seconds > 0 && whole === 0 ? Math.max(1, micro) : micro), offset + 8);
}

function read(timer: Buffer, offset: number): number {
  return Number(timer.readBigInt64LE(offset)) + Number(timer.readBigInt64LE(offset + 8)) / 1e6;
}

// What fits into the kernel's time, far beyond any use.
function checkDelay(name: string, seconds: number): void {
  if (checkSeconds(name, seconds) > 2 ** 31)
    throw new InvalidArgumentError(name, seconds, 'a number of seconds from 0 to 2^31');
}

function checkWhich(which: number): number {
  if (which === ITIMER_REAL || which === ITIMER_VIRTUAL || which === ITIMER_PROF) return which;
  throw new InvalidArgumentError('which', which, 'ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF');
}
