import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { InvalidArgumentError, SystemError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { getBlocking } from './descriptor.ts';

/** How a descriptor becomes a stream. */
export interface FdopenOptions {
  /** Bytes read ahead before the source is made to wait (65536). */
  readonly highWaterMark?: number;
  /** Writes are never joined, so that each one of up to PIPE_BUF bytes arrives in one piece. */
  readonly atomic?: boolean;
  /** Aborting it destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A Node stream on a pipe, FIFO, socket or terminal; it owns the descriptor and closes it at its end. Reads and writes
 * happen on readiness, without libuv's thread pool. A reader that is gone is an `error` with code EPIPE and `fd` set.
 * A closed descriptor throws SystemError EBADF at once. fdopen(3).
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
  return new FdSocket(fd, mode, options);
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
