import { Readable } from 'node:stream';
import { libc } from './libc.ts';
import type { ChunkMemory } from './chunk-memory.ts';
import { keptChunks, lentChunks } from './chunk-memory.ts';
import { close, tryReadInto } from './descriptor.ts';
import { Poll, POLLIN } from './poll.ts';
import { SidePipe } from './side-pipe.ts';

const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
/** Bytes; what a pipe holds before it is given more room. */
const pipeRoom = 65536;
/** Bytes, of the pipe and of one read: most of what a larger one would bring, and within what the kernel allows anyone. */
const largeRoom = 262_144;
/** Reads after which others on the loop get their turn. */
const readsInARow = 16;
/** Full pipes in a row that show a writer in a hurry. */
const hurry = 4;

/** How a pipe is read. */
export interface PipeReaderOptions {
  readonly highWaterMark: number;
  readonly reuseBuffer?: boolean | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Reads a pipe or FIFO on readiness, with reads four times as large as libuv's. Once its writer keeps filling it the pipe is
 * made larger and read past its lock: the stream of `fdopen` where libc can be called. Owns the descriptor.
 */
export class PipeReader extends Readable {
  readonly fd: number;
  readonly #poll: Poll;
  readonly #memory: ChunkMemory;
  readonly #kept = keptChunks(largeRoom);
  /** Bytes read ahead at most of what nobody waits for. */
  readonly #ahead: number;
  #watching = false;
  #full = 0;
  #side: SidePipe | undefined;

  constructor(fd: number, { reuseBuffer = false, highWaterMark, signal }: PipeReaderOptions) {
    // A lent chunk is the only one on its way: the next is read when it is taken.
    super({ highWaterMark: reuseBuffer ? 1 : highWaterMark, ...(signal && { signal }) });
    this.fd = fd;
    this.#memory = reuseBuffer ? lentChunks(largeRoom) : this.#kept;
    this.#ahead = reuseBuffer ? largeRoom : Math.min(largeRoom, Math.max(highWaterMark, 1));
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
    // It may be a listener of `#drain` that destroys it: the numbers are soon those of other files.
    this.#watching = false;
    this.#poll.close();
    try {
      this.#side?.close();
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
    // Those not taken yet must last: `read(n)` makes Node ask for more until n bytes are there.
    const memory = this.readableLength > 0 ? this.#kept : this.#memory;
    const room = memory.room();
    const most = this.readableFlowing === true ? room.length : Math.min(room.length, this.#ahead);
    const got = this.#readInto(room, most);
    if (got === undefined) return false;
    if (got === 0) {
      this.#stop();
      this.push(null);
      return false;
    }
    this.#widen(got);
    if (!this.push(memory.take(got))) this.#stop();
    return got === most && !this.destroyed;
  }

  #readInto(room: Buffer, most: number): number | undefined {
    if (this.#side !== undefined) {
      const got = this.#side.readInto(this.fd, room, most);
      if (got !== 'refused') return got;
      this.#side.close();
      this.#side = undefined;
    }
    return tryReadInto(this.fd, room, most);
  }

  // A writer in a hurry gets more room, so that it need not wait for each of our reads; the others keep what they have,
  // since the kernel lets the pipes of one user have so much together.
  #widen(got: number): void {
    if (this.#full >= hurry) return;
    this.#full = got >= pipeRoom ? this.#full + 1 : 0;
    if (this.#full < hurry || process.platform !== 'linux') return;
    const fcntl = libc('int fcntl(int fd, int cmd, int arg)');
    if (fcntl(this.fd, F_GETPIPE_SZ, 0) < largeRoom) fcntl(this.fd, F_SETPIPE_SZ, largeRoom);
    this.#side = SidePipe.open(largeRoom);
  }

  #stop(): void {
    this.#watching = false;
    this.#poll.stop();
  }
}
