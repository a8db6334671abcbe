import { realClock } from '../base/clock.ts';
import { Deadline } from '../base/deadline.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { endingSignals, onAnyAbort, throwIfAnyAborted, withinTask } from '../base/ending-signals.ts';
import { InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { errno, libc, systemError } from './libc.ts';

/** Shared with others who ask for the same. */
export const LOCK_SH = 1;
/** For one holder alone. */
export const LOCK_EX = 2;
/** Gives the lock up. */
export const LOCK_UN = 8;
const LOCK_NB = 4;

const EINTR = 4;
const EWOULDBLOCK = process.platform === 'darwin' ? 35 : 11;

/**
 * Takes or gives up a lock on an open file without waiting; false if others hold it. The kernel frees it when the
 * last descriptor of this opening is closed, however its holder ends (flock(2)).
 */
export function tryFlock(fd: number, operation: typeof LOCK_SH | typeof LOCK_EX | typeof LOCK_UN): boolean {
  check(fd, operation);
  const flock = libc('int flock(int fd, int operation)');
  while (flock(fd, operation | LOCK_NB) < 0) {
    const number = errno();
    if (number === EWOULDBLOCK) return false;
    if (number !== EINTR) throw systemError('flock', { fd, errno: number });
  }
  return true;
}

/** Takes the lock, blocking this thread until it is free. For threads of their own, never for the event loop. */
export function flockSync(fd: number, operation: typeof LOCK_SH | typeof LOCK_EX | typeof LOCK_UN): void {
  check(fd, operation);
  const flock = libc('int flock(int fd, int operation)');
  while (flock(fd, operation) < 0) {
    const number = errno();
    if (number !== EINTR) throw systemError('flock', { fd, errno: number });
  }
}

/**
 * Takes the lock as soon as others let it go, looking again every few milliseconds (50 at most): the kernel tells
 * nobody. Rejects with TimeoutError or CancelledError, the lock not taken.
 *
 * @example
 * await flock(fd, LOCK_EX, { timeout: 5 });
 */
export function flock(
  fd: number,
  operation: typeof LOCK_SH | typeof LOCK_EX | typeof LOCK_UN,
  options: WaitOptions = {},
): Promise<void> {
  return withinTask(() => lockWhenFree(fd, operation, options), `the lock of fd ${fd}`);
}

async function lockWhenFree(
  fd: number,
  operation: typeof LOCK_SH | typeof LOCK_EX | typeof LOCK_UN,
  options: WaitOptions,
): Promise<void> {
  checkOptions(options);
  const deadline = Deadline.after(options.timeout);
  const signals = endingSignals(options.signal);
  throwIfAnyAborted(signals);
  for (let pause = 0.001; !tryFlock(fd, operation); pause = Math.min(0.05, pause * 2)) {
    if (deadline.passed)
      throw new TimeoutError(`lock of fd ${fd} not free after ${options.timeout} s`, { timeout: options.timeout });
    // Uneven pauses, so that two waiters do not keep missing each other's gaps.
    const wait = Math.min(deadline.left, pause * (0.5 + realClock.random()));
    await sleep(wait, signals);
  }
}

function sleep(seconds: number, signals: readonly AbortSignal[]): Promise<void> {
  throwIfAnyAborted(signals);
  return new Promise((resolve, reject) => {
    const timer = realClock.setTimer(seconds, () => {
      forget();
      resolve();
    });
    const forget = onAnyAbort(signals, (error) => {
      timer.cancel();
      forget();
      reject(error);
    });
  });
}

function check(fd: number, operation: number): void {
  if (!Number.isInteger(fd) || fd < 0) throw new InvalidArgumentError('fd', fd, 'an open file descriptor');
  if (operation !== LOCK_SH && operation !== LOCK_EX && operation !== LOCK_UN)
    throw new InvalidArgumentError('operation', operation, 'LOCK_SH, LOCK_EX or LOCK_UN');
}
