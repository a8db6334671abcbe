import { createReadStream, createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { addAbortSignal } from 'node:stream';
import type { Readable, Writable } from 'node:stream';
import { isatty, ReadStream, WriteStream } from 'node:tty';
import { InvalidArgumentError, SystemError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { getBlocking } from './descriptor.ts';
import { hasLibc } from './libc.ts';
import { PipeReader } from './pipe-reader.ts';

/** How a descriptor becomes a stream. */
export interface FdopenOptions {
  /** Bytes read ahead before the source is made to wait (65536). */
  readonly highWaterMark?: number;
  /**
   * Chunks of a pipe or FIFO are views of one piece of memory, each valid until the next has come: for who hashes, counts,
   * parses or copies at once, about 1.4 times as fast. Not for `pipeline` into what keeps its chunks. One chunk is read
   * ahead, whatever `highWaterMark` says.
   */
  readonly reuseBuffer?: boolean | undefined;
  /** Writes are never joined, so that each one of up to PIPE_BUF bytes arrives in one piece. */
  readonly atomic?: boolean;
  /** Aborting it destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A Node stream on a descriptor, which it owns and closes at its end. Pipes, FIFOs, stream sockets and terminals are read
 * and written on readiness, without libuv's thread pool; files and devices, which have none, through it. A reader that is
 * gone is an `error` with code EPIPE and `fd` set. SystemError EBADF for a closed descriptor, EISDIR for a directory;
 * InvalidArgumentError for what cannot be a stream (datagram sockets, eventfds…: `poll`). Then it stays open. fdopen(3).
 *
 * @example
 * for await (const chunk of fdopen(r, 'r')) hash.update(chunk);
 */
export function fdopen(fd: number, mode: 'r', options?: FdopenOptions): Readable;
export function fdopen(fd: number, mode: 'w', options?: FdopenOptions): Writable;
export function fdopen(fd: number, mode: 'r' | 'w', options: FdopenOptions = {}): Readable | Writable {
  if (mode !== 'r' && mode !== 'w') throw new InvalidArgumentError('mode', mode, "'r' or 'w'");
  checkOptions(options);
  getBlocking(fd); // EBADF here names the descriptor; libuv's would not
  const stat = fstatSync(fd);
  if (stat.isFIFO() && mode === 'r' && hasLibc()) return pipeReader(fd, options);
  if (stat.isFIFO() || stat.isSocket()) return socket(fd, mode, options);
  if (stat.isCharacterDevice() && isatty(fd)) return terminal(fd, mode, options);
  if (stat.isFile() || stat.isCharacterDevice() || stat.isBlockDevice()) return file(fd, mode, options);
  if (!stat.isDirectory()) throw new InvalidArgumentError('fd', fd, allowed);
  throw new SystemError('EISDIR', constants.errno.EISDIR, 'fdopen', { fd, message: 'is a directory' });
}

const allowed = 'a pipe, FIFO, stream socket, terminal or file (others: poll and read)';

function pipeReader(fd: number, { highWaterMark = 65536, reuseBuffer, signal }: FdopenOptions): Readable {
  return new PipeReader(fd, { highWaterMark, reuseBuffer, ...(signal && { signal }) });
}

function socket(fd: number, mode: 'r' | 'w', options: FdopenOptions): Readable | Writable {
  try {
    return new FdSocket(fd, mode, options);
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_INVALID_FD_TYPE') throw cause;
    throw new InvalidArgumentError('fd', fd, allowed, { cause });
  }
}

function terminal(fd: number, mode: 'r' | 'w', { signal }: FdopenOptions): Readable | Writable {
  const stream = mode === 'r' ? new ReadStream(fd) : new WriteStream(fd);
  if (signal !== undefined) addAbortSignal(signal, stream);
  return stream;
}

// Never to be waited for, so that the thread pool is soon free again.
function file(fd: number, mode: 'r' | 'w', { highWaterMark = 65536, signal }: FdopenOptions): Readable | Writable {
  const options = { fd, highWaterMark, ...(signal && { signal }) };
  return mode === 'r' ? createReadStream('', options) : createWriteStream('', options);
}

// A Socket rather than fs streams, which read through the thread pool: four idle pipes would stop every file read.
class FdSocket extends Socket {
  readonly fd: number;

  constructor(fd: number, mode: 'r' | 'w', options: FdopenOptions) {
    const { highWaterMark = 65536, signal } = options;
    // net.Socket hands its options on to Duplex, whose typings it does not repeat.
    const duplex = { highWaterMark, ...(signal && { signal }) };
    super({ ...duplex, fd, readable: mode === 'r', writable: mode === 'w', allowHalfOpen: false });
    this.fd = fd;
    if (options.atomic) Object.defineProperty(this, '_writev', { value: null });
  }

  override _write(chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    // oxlint-disable-next-line no-underscore-dangle -- the stream contract's own name
    super._write(chunk, encoding, this.#named(callback));
  }

  override _writev(
    chunks: { chunk: unknown; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    // oxlint-disable-next-line no-underscore-dangle -- the stream contract's own name
    super._writev!(chunks, this.#named(callback));
  }

  #named(callback: (error?: Error | null) => void): (error?: Error | null) => void {
    return (error) => callback(error && name(error, this.fd));
  }
}

function name(error: Error, fd: number): Error {
  const { code, errno } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined) return error;
  const message = code === 'EPIPE' ? 'broken pipe, nobody reads the other end' : 'input/output error';
  return new SystemError(code, -errno, 'write', { fd, message, cause: error });
}
