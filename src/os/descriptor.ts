import { constants } from 'node:os';
import type { WaitOptions } from '../base/deadline.ts';
import { withinTask } from '../base/ending-signals.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { checked, errno, libc, systemError } from './libc.ts';
import { closePolls, POLLIN, POLLOUT, readiness } from './poll.ts';

export { duplicate } from './duplicate.ts';

/** Not inherited by children made by exec; a flag of `pipe2` (open(2)). */
export const O_CLOEXEC = process.platform === 'darwin' ? 0x1000000 : 0o2000000;
/** Reads and writes do not wait; a flag of `pipe2` (open(2)). */
export const O_NONBLOCK = process.platform === 'darwin' ? 4 : 0o4000;

const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const { EAGAIN, EINTR, EPERM } = constants.errno;

/**
 * A pipe: what is written to `w` is read from `r`, which is at its end when every writer has closed. Not inherited by
 * children unless given to them (`stdin: r`, `passFds`), shared with forked ones. Close both when done. pipe(2).
 *
 * @example
 * const [r, w] = pipe();
 */
export function pipe(): [r: number, w: number] {
  return pipe2(O_CLOEXEC);
}

/** A pipe with flags: `O_NONBLOCK`, `O_CLOEXEC`; without the latter it is inherited by every child. pipe2(2). */
export function pipe2(flags: number): [r: number, w: number] {
  const ends = [-1, -1];
  const call = libc('int pipe2(_Out_ int *ends, int flags)') as (ends: number[], flags: number) => number;
  checked(call(ends, flags), 'pipe2');
  return [ends[0]!, ends[1]!];
}

/**
 * Reads up to `size` bytes as soon as any are there; an empty Buffer is the end of the file. Waits on readiness, so
 * neither the event loop nor libuv's thread pool is held. Rejects with SystemError (EBADF…), TimeoutError or
 * CancelledError. Makes pipes and sockets non-blocking. read(2).
 *
 * @example
 * const bytes = await read(r, 65536, { timeout: 1 });
 */
export function read(fd: number, size: number, options: WaitOptions = {}): Promise<Buffer> {
  try {
    if (!Number.isInteger(size) || size < 0 || size > largest)
      throw new InvalidArgumentError('size', size, `a number of bytes, up to ${largest}`);
    makeReady(fd);
    const bytes = tryRead(fd, size);
    if (bytes !== undefined) return Promise.resolve(bytes);
  } catch (error) {
    return Promise.reject(error);
  }
  return withinTask(() => readWhenReady(fd, size, options), `bytes of fd ${fd}`);
}

async function readWhenReady(fd: number, size: number, options: WaitOptions): Promise<Buffer> {
  for (;;) {
    await ready(fd, POLLIN, options);
    const bytes = tryRead(fd, size);
    if (bytes !== undefined) return bytes;
  }
}

// What read(2) gives at most; a Buffer of that size exists.
const largest = 0x7ffff000;

/** Reads what is there: `undefined` if the descriptor is non-blocking and has nothing yet, empty at the end of file. */
export function tryRead(fd: number, size: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(size);
  const got = tryReadInto(fd, buffer, size);
  return got === undefined ? undefined : buffer.subarray(0, got);
}

/** As `tryRead`, into the first `size` bytes of a buffer; tells how many came. */
export function tryReadInto(fd: number, buffer: Uint8Array, size: number): number | undefined {
  const call = libc('long read(int fd, void *buffer, size_t size)');
  for (;;) {
    const got = call(fd, buffer, size);
    if (got >= 0) return got;
    const number = errno();
    if (number === EAGAIN) return undefined;
    if (number !== EINTR) throw systemError('read', { fd, errno: number });
  }
}

/**
 * Writes all bytes, waiting whenever the pipe is full, and tells how many. Up to PIPE_BUF (4096) bytes arrive in one
 * piece among other writers'. Without a reader it rejects with EPIPE, naming the descriptor; cancelled in the middle,
 * a part may have been written. write(2).
 *
 * @example
 * await write(w, 'hello\n');
 */
export function write(fd: number, data: string | Uint8Array, options: WaitOptions = {}): Promise<number> {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  let written: number;
  try {
    if (!(bytes instanceof Uint8Array)) throw new InvalidArgumentError('data', data, 'text or bytes (Uint8Array)');
    makeReady(fd);
    written = tryWrite(fd, bytes) ?? 0;
  } catch (error) {
    return Promise.reject(error);
  }
  if (written >= bytes.length) return Promise.resolve(written);
  return withinTask(() => writeWhenReady(fd, bytes, written, options), `room in fd ${fd}`);
}

async function writeWhenReady(fd: number, bytes: Uint8Array, written: number, options: WaitOptions): Promise<number> {
  let offset = written;
  while (offset < bytes.length) {
    await ready(fd, POLLOUT, options);
    offset += tryWrite(fd, bytes.subarray(offset)) ?? 0;
  }
  return bytes.length;
}

/** Writes what fits now: `undefined` if the descriptor is non-blocking and full. */
export function tryWrite(fd: number, bytes: Uint8Array): number | undefined {
  const call = libc('long write(int fd, const void *buffer, size_t size)');
  for (;;) {
    const put = call(fd, bytes, bytes.length);
    if (put >= 0) return put;
    const number = errno();
    if (number === EAGAIN) return undefined;
    if (number !== EINTR) throw systemError('write', { fd, errno: number });
  }
}

/** Closes a descriptor; EBADF if it is not open. Waits on it (`read`, `write`, `poll`) reject with ClosedError. close(2). */
export function close(fd: number): void {
  closePolls(checkFd(fd));
  checked(libc('int close(int fd)')(fd), 'close', { fd });
}

/**
 * Makes `fd2` a second name of `fd`, closing what it was; returns `fd2`. Inheritable like Python's unless told
 * otherwise. dup2(2).
 */
export function dup2(fd: number, fd2: number, inheritable = true): number {
  checkFd(fd2);
  if (fd !== fd2) closePolls(fd2);
  if (inheritable || fd === fd2) return checked(libc('int dup2(int fd, int fd2)')(checkFd(fd), fd2), 'dup2', { fd });
  return checked(libc('int dup3(int fd, int fd2, int flags)')(checkFd(fd), fd2, O_CLOEXEC), 'dup3', { fd });
}

/** A second descriptor for the same open file, closed on exec. dup(2). */
export function dup(fd: number): number {
  return checked(libc('int fcntl(int fd, int cmd, int arg)')(checkFd(fd), 1030, 0), 'fcntl', { fd });
}

/** Whether reads and writes wait. Belongs to the open file: all descriptors of it, in every process, change. */
export function getBlocking(fd: number): boolean {
  return (statusFlags(fd) & O_NONBLOCK) === 0;
}

/** Makes reads and writes wait, or not; for all who share the open file. */
export function setBlocking(fd: number, blocking: boolean): void {
  const flags = statusFlags(fd);
  const wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (wanted !== flags) checked(fcntl(fd, F_SETFL, wanted), 'fcntl', { fd });
}

/** Whether children made by exec inherit the descriptor. */
export function getInheritable(fd: number): boolean {
  return (checked(fcntl(fd, F_GETFD, 0), 'fcntl', { fd }) & FD_CLOEXEC) === 0;
}

/** Lets children made by exec inherit the descriptor, or not. */
export function setInheritable(fd: number, inheritable: boolean): void {
  checked(fcntl(fd, F_SETFD, inheritable ? 0 : FD_CLOEXEC), 'fcntl', { fd });
}

function statusFlags(fd: number): number {
  return checked(fcntl(checkFd(fd), F_GETFL, 0), 'fcntl', { fd });
}

function fcntl(fd: number, cmd: number, arg: number): number {
  return libc('int fcntl(int fd, int cmd, int arg)')(fd, cmd, arg);
}

function makeReady(fd: number): void {
  setBlocking(fd, false);
}

async function ready(fd: number, events: number, options: WaitOptions): Promise<void> {
  try {
    await readiness(fd, events, options);
  } catch (error) {
    // Regular files cannot be polled and are always ready.
    if (!(error instanceof Error && 'errno' in error && error.errno === EPERM)) throw error;
  }
}

function checkFd(fd: number): number {
  if (!Number.isInteger(fd) || fd < 0) throw new InvalidArgumentError('fd', fd, 'a file descriptor, 0 or more');
  return fd;
}
