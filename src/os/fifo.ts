import { constants as fsConstants, fstatSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import { checkSeconds } from '../base/deadline.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { endingSignals, onAnyAbort, throwIfAnyAborted, withinTask } from '../base/ending-signals.ts';
import { InvalidArgumentError, SystemError, TimeoutError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { close, O_CLOEXEC, tryRead } from './descriptor.ts';
import { fdopen } from './fdopen.ts';
import type { FdopenOptions } from './fdopen.ts';
import { IN_CLOSE_WRITE, watchFile } from './inotify.ts';
import { checked, errno, libc, systemError } from './libc.ts';

/** Writes of up to so many bytes to a pipe or FIFO arrive in one piece among other writers' (pipe(7)). */
export const PIPE_BUF = process.platform === 'darwin' ? 512 : 4096;

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fsConstants;

/**
 * Makes a FIFO, a pipe with a name, through which programs talk that know its path. SystemError EEXIST, ENOENT, EACCES…
 * The mode is reduced by the umask. mkfifo(3).
 *
 * @example
 * mkfifo('/tmp/orders', 0o600);
 */
export function mkfifo(path: string, mode = 0o666): void {
  checkPath(path);
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777)
    throw new InvalidArgumentError('mode', mode, 'permissions as a number, such as 0o600');
  checked(libc('int mkfifo(str path, unsigned int mode)')(path, mode), 'mkfifo', { path });
}

/** What both ends take: `timeout` and `signal` bound the wait for the other side. */
export interface FifoOptions extends WaitOptions, Pick<FdopenOptions, 'highWaterMark'> {}

/** How a FIFO is read. */
export interface FifoReaderOptions extends FifoOptions, Pick<FdopenOptions, 'reuseBuffer'> {
  /**
   * When the last writer leaves: the stream ends ('end', the default), or it goes on with the next writer ('reopen') until
   * destroyed.
   */
  readonly whenWritersLeave?: 'end' | 'reopen' | undefined;
}

/** How a FIFO is written. */
export interface FifoWriterOptions extends FifoOptions {
  /** Keeps each write of up to PIPE_BUF bytes in one piece (true); false lets waiting ones be joined, which is faster. */
  readonly atomic?: boolean | undefined;
}

/**
 * Opens a FIFO to read, once somebody has it open to write. The stream is an async iterator of Buffers. Waiting holds
 * neither the event loop nor libuv's thread pool, so hundreds may wait. TimeoutError, CancelledError; SystemError for a
 * path that is not there, may not be read or is no FIFO (EINVAL). fifo(7).
 *
 * @example
 * for await (const chunk of await openFifo('/tmp/orders', 'r')) console.log(String(chunk));
 */
export function openFifo(path: string, mode: 'r', options?: FifoReaderOptions): Promise<Readable>;
/** Opens a FIFO to write, once somebody has it open to read. Writing when the last reader has left fails with EPIPE. */
export function openFifo(path: string, mode: 'w', options?: FifoWriterOptions): Promise<Writable>;
export function openFifo(
  path: string,
  mode: 'r' | 'w',
  options: FifoReaderOptions & FifoWriterOptions = {},
): Promise<Readable | Writable> {
  return withinTask(() => openWith(path, mode, options), `the other end of ${path}`);
}

async function openWith(
  path: string,
  mode: 'r' | 'w',
  options: FifoReaderOptions & FifoWriterOptions,
): Promise<Readable | Writable> {
  checkPath(path);
  checkOptions(options);
  const { whenWritersLeave } = options;
  if (whenWritersLeave !== undefined && whenWritersLeave !== 'end' && whenWritersLeave !== 'reopen')
    throw new InvalidArgumentError('whenWritersLeave', whenWritersLeave, "'end' or 'reopen'");
  if (mode === 'r') return openReader(path, options);
  if (mode === 'w') return openWriter(path, options);
  throw new InvalidArgumentError('mode', mode, "'r' or 'w'");
}

function checkPath(path: string): void {
  if (typeof path !== 'string' || path === '' || path.includes('\0'))
    throw new InvalidArgumentError('path', path, 'a path without NUL');
}

async function openReader(path: string, options: FifoReaderOptions): Promise<Readable> {
  throwIfAnyAborted(endingSignals(options.signal));
  const fd = openEnd(path, O_RDONLY)!;
  let first: Buffer | undefined;
  try {
    // Only a read tells whether a writer is there: nothing to read if not, "try again" if so.
    await whenOpened(path, options, 'r', (writerWasHere) => {
      const bytes = tryRead(fd, 65536);
      if (bytes !== undefined && bytes.length > 0) first = bytes;
      return bytes === undefined || bytes.length > 0 || writerWasHere;
    });
    // An end to write of our own keeps the FIFO from ever coming to its end.
    const keeper = options.whenWritersLeave === 'reopen' ? openEnd(path, O_WRONLY) : undefined;
    const stream = fdopen(fd, 'r', { ...streamOptions(options), reuseBuffer: options.reuseBuffer });
    if (keeper !== undefined) stream.once('close', () => close(keeper));
    if (first !== undefined) stream.unshift(first);
    return stream;
  } catch (error) {
    close(fd);
    throw error;
  }
}

async function openWriter(path: string, options: FifoWriterOptions): Promise<Writable> {
  let fd: number | undefined;
  await whenOpened(path, options, 'w', () => (fd = openEnd(path, O_WRONLY)) !== undefined);
  return fdopen(fd!, 'w', { ...streamOptions(options), atomic: options.atomic ?? true });
}

function streamOptions({ highWaterMark }: FifoOptions): FdopenOptions {
  return highWaterMark === undefined ? {} : { highWaterMark };
}

// `undefined`: a FIFO to write to that nobody reads.
function openEnd(path: string, access: number): number | undefined {
  const fd = libc('int open(str path, int flags)')(path, access | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    const number = errno();
    if (number === constants.errno.ENXIO && access === O_WRONLY) return undefined;
    throw systemError('open', { path, errno: number });
  }
  if (fstatSync(fd).isFIFO()) return fd;
  close(fd);
  throw new SystemError('EINVAL', constants.errno.EINVAL, 'open', { path, message: 'not a FIFO' });
}

const longestPause = 0.05;

/** Tries until it succeeds: at once, whenever somebody opens the file, and every 50 ms at most where that may not tell. */
async function whenOpened(
  path: string,
  { timeout, signal }: WaitOptions,
  mode: 'r' | 'w',
  attempt: (writerWasHere: boolean) => boolean,
): Promise<void> {
  const signals = endingSignals(signal);
  throwIfAnyAborted(signals);
  if (timeout !== undefined) checkSeconds('timeout', timeout);
  return new Promise<void>((resolve, reject) => {
    const timers: ClockTimer[] = [];
    const settle = (how: () => void) => {
      unwatch?.();
      for (const timer of timers) timer.cancel();
      forget();
      how();
    };
    const forget = onAnyAbort(signals, (error) => settle(() => reject(error)));
    const look = (mask = 0) => {
      try {
        if (attempt((mask & IN_CLOSE_WRITE) !== 0)) settle(resolve);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    // Watching comes before the first look, or an opening in between would go unseen.
    const unwatch = watchFile(path, look);
    timers.push(
      realClock.setTimer(timeout ?? Infinity, () =>
        settle(() => reject(new TimeoutError(`nobody opened the other end of ${path} in ${timeout} s`, { timeout }))),
      ),
    );
    // A reader that blocks in its own open has not opened yet for inotify, though a writer could: it has to be tried.
    if (unwatch === undefined || mode === 'w') pollSlowly(look, timers);
    look();
  });
}

function pollSlowly(look: () => void, timers: ClockTimer[], pause = 0.001): void {
  timers[1] = realClock.setTimer(pause, () => {
    pollSlowly(look, timers, Math.min(longestPause, pause * 2));
    look();
  });
}
