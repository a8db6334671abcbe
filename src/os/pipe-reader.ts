import { Readable } from 'node:stream';
import { libc } from './libc.ts';
import { close, tryReadInto } from './descriptor.ts';
import { Poll, POLLIN } from './poll.ts';

const F_SETPIPE_SZ = 1031;
/** Bytes; what a pipe holds before it is given more room. */
const pipeRoom = 65536;
/** Bytes, of the pipe and of one read: most of what a larger one would bring, and within what the kernel allows anyone. */
const largeRoom = 262_144;
/** Reads after which others on the loop get their turn. */
const readsInARow = 16;
/** Full pipes in a row that show a writer in a hurry. */
const hurry = 4;

// What is read into next, by whichever reader of the thread comes first: a read that fills most of it takes it along, one
// that brings little is copied out and leaves it.
let spare: Buffer | undefined;

/**
 * Reads a pipe or FIFO on readiness, with reads four times as large as libuv's, from a pipe that is made larger once its
 * writer keeps filling it: the stream of `fdopen` where libc can be called. Owns the descriptor.
 */
export class PipeReader extends Readable {
  readonly fd: number;
  readonly #poll: Poll;
  #watching = false;
  #full = 0;

  constructor(fd: number, options: { readonly highWaterMark: number; readonly signal?: AbortSignal }) {
    super(options);
    this.fd = fd;
    this.#poll = new Poll(
      fd,
      () => this.#drain(),
      (closed) => this.destroy(closed),
    );
  }

  override _read(): void {
    if (this.#watching || this.destroyed) return;
    this.#watching = true;
    this.#poll.start(POLLIN);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#poll.close();
    try {
      close(this.fd);
      callback(error);
    } catch (failed) {
      callback(error ?? (failed as Error));
    }
  }

  /** Keeps the event loop alive while it is read from (the default). */
  ref(): this {
    this.#poll.ref();
    return this;
  }

  unref(): this {
    this.#poll.unref();
    return this;
  }

  #drain(): void {
    try {
      for (let i = 0; i < readsInARow && this.#watching; i++) if (!this.#readOnce()) return;
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  /** Whether there may be more. */
  #readOnce(): boolean {
    spare ??= Buffer.allocUnsafeSlow(largeRoom);
    // What nobody waits for is not read ahead further than was agreed.
    const most =
      this.readableFlowing === true ? largeRoom : Math.min(largeRoom, Math.max(this.readableHighWaterMark, 1));
    const got = tryReadInto(this.fd, spare, most);
    if (got === undefined) return false;
    if (got === 0) {
      this.#stop();
      this.push(null);
      return false;
    }
    this.#widen(got);
    if (!this.push(takeOut(got))) this.#stop();
    return got === most;
  }

  // A writer in a hurry gets more room, so that it need not wait for each of our reads; the others keep what they have,
  // since the kernel lets the pipes of one user have so much together.
  #widen(got: number): void {
    if (this.#full >= hurry) return;
    this.#full = got >= pipeRoom ? this.#full + 1 : 0;
    if (this.#full === hurry && process.platform === 'linux')
      libc('int fcntl(int fd, int cmd, int arg)')(this.fd, F_SETPIPE_SZ, largeRoom);
  }

  #stop(): void {
    this.#watching = false;
    this.#poll.stop();
  }
}

function takeOut(size: number): Buffer {
  const from = spare!;
  if (size <= largeRoom / 2) return Buffer.from(from.subarray(0, size));
  spare = undefined;
  return from.subarray(0, size);
}
