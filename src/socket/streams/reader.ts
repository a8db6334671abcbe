import { Wait } from '../../asyncio/wait.ts';
import type { WaitOptions } from '../../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError } from '../../base/errors.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { IncompleteReadError, LimitOverrunError } from './errors.ts';

/** What a reader slows down when it has more than it can hold. */
export interface Flow {
  pause(): unknown;
  resume(): unknown;
}

export const defaultLimit = 64 * 1024;

/**
 * The bytes that come in. When more than twice the limit wait to be read, the other side is held up until they are at
 * most the limit again. One task reads at a time. A read that is cancelled or times out has taken nothing.
 * `for await` gives lines. (asyncio.StreamReader)
 *
 * @example
 * const line = await reader.readline({ timeout: 5 });
 */
export class StreamReader implements AsyncIterable<Buffer> {
  readonly #limit: number;
  readonly #buffer = new ByteBuffer();
  readonly #flow: Flow | undefined;
  #held = false;
  #ended = false;
  #error: Error | undefined;
  #wait: Wait<void> | undefined;
  /** A read for what comes next, however little: it is answered without a detour. */
  #direct: Wait<Buffer> | undefined;
  #most = 0;
  readonly #directly = { external: true, abandon: () => this.#giveUp() };

  constructor(options: { readonly limit?: number | undefined; readonly flow?: Flow | undefined } = {}) {
    const { limit = defaultLimit, flow } = options;
    if (!Number.isInteger(limit) || limit < 1)
      throw new InvalidArgumentError('limit', limit, 'a number of bytes above 0');
    this.#limit = limit;
    this.#flow = flow;
  }

  /** Whether the stream has ended and everything was read. */
  atEof(): boolean {
    return this.#ended && this.#buffer.size === 0;
  }

  /** The error that broke the stream. */
  exception(): Error | undefined {
    return this.#error;
  }

  /** Up to `n` bytes, at least one unless the stream has ended; without `n` all that comes until then. */
  read(n = -1, options?: WaitOptions): Promise<Buffer> {
    if (!Number.isInteger(n)) return Promise.reject(new InvalidArgumentError('n', n, 'a whole number of bytes'));
    if (n < 0) return this.#readAll(options);
    if (this.#error !== undefined && this.#buffer.size === 0) return Promise.reject(this.#error);
    if (n === 0 || this.#buffer.size > 0 || this.#ended) return Promise.resolve(this.#take(n));
    if (this.#busy) return Promise.reject(busy('read'));
    const wait = new Wait<Buffer>('bytes of a stream', options, this.#directly);
    if (!wait.settled) {
      this.#direct = wait;
      this.#most = n;
    }
    return wait.promise;
  }

  /** Exactly `n` bytes; throws IncompleteReadError, which carries the rest, if the stream ends before. */
  async readexactly(n: number, options?: WaitOptions): Promise<Buffer> {
    if (!Number.isInteger(n) || n < 0) throw new InvalidArgumentError('n', n, 'a number of bytes, 0 or more');
    while (this.#buffer.size < n) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) throw new IncompleteReadError(this.#take(this.#buffer.size), n);
      // What is asked for must have room, also above the limit.
      this.#release();
      await this.#more('readexactly', options);
    }
    return this.#take(n);
  }

  /** A line with its newline; without one at the end of the stream. Throws LimitOverrunError for one too long. */
  async readline(options?: WaitOptions): Promise<Buffer> {
    try {
      return await this.readuntil('\n', options);
    } catch (error) {
      if (error instanceof IncompleteReadError) return error.partial;
      // Else every further call would meet the same bytes.
      if (error instanceof LimitOverrunError) this.#drop(error.consumed);
      throw error;
    }
  }

  /**
   * All up to and with the separator, or the first of several to come. Throws IncompleteReadError if the stream ends
   * before, LimitOverrunError if it is not within the limit: then the bytes stay.
   */
  async readuntil(
    separator: string | Uint8Array | readonly (string | Uint8Array)[] = '\n',
    options?: WaitOptions,
  ): Promise<Buffer> {
    const separators = (isList(separator) ? separator : [separator]).map((each) => bytesOf(each));
    const longest = Math.max(...separators.map((each) => each.length));
    for (let from = 0; ;) {
      const end = this.#buffer.endOf(separators, from);
      if (end > this.#limit) throw new LimitOverrunError('Separator is found, but chunk is longer than limit', end);
      if (end >= 0) return this.#take(end);
      from = Math.max(0, this.#buffer.size + 1 - longest);
      if (from > this.#limit) {
        throw new LimitOverrunError('Separator is not found, and chunk exceed the limit', from);
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) throw new IncompleteReadError(this.#take(this.#buffer.size), undefined);
      await this.#more('readuntil', options);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (let line = await this.readline(); line.length > 0; line = await this.readline()) yield line;
  }

  /** Gives the reader bytes; for whoever drives a stream of its own. */
  feedData(data: Uint8Array): void {
    if (this.#ended) throw new InvalidStateError('feedData after feedEof');
    if (data.length === 0) return;
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (this.#direct !== undefined && bytes.length <= this.#most) return this.#answer(bytes);
    this.#buffer.push(bytes);
    this.#wake();
    if (this.#held || this.#buffer.size <= 2 * this.#limit) return;
    this.#held = true;
    this.#flow?.pause();
  }

  /** Says that no more bytes will come. */
  feedEof(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Breaks the stream: reads throw `error` once what came before is read. */
  setException(error: Error): void {
    this.#error = error;
    this.#direct?.reject(error);
    this.#direct = undefined;
    this.#wait?.resolve();
    this.#wait = undefined;
  }

  get #busy(): boolean {
    return this.#wait !== undefined || this.#direct !== undefined;
  }

  async #readAll(options?: WaitOptions): Promise<Buffer> {
    while (!this.#ended) {
      if (this.#error !== undefined) throw this.#error;
      this.#release();
      await this.#more('read', options);
    }
    return this.#take(this.#buffer.size);
  }

  async #more(call: string, options?: WaitOptions): Promise<void> {
    if (this.#busy) throw busy(call);
    const wait = new Wait<void>('bytes of a stream', options, { external: true });
    this.#wait = wait;
    try {
      await wait.promise;
    } finally {
      if (this.#wait === wait) this.#wait = undefined;
    }
  }

  #wake(): void {
    if (this.#direct !== undefined) this.#answer(this.#take(this.#most));
    this.#wait?.resolve();
    this.#wait = undefined;
  }

  // A direct read waits only while the buffer is empty, so what comes may go past it.
  #answer(bytes: Buffer): void {
    const direct = this.#direct!;
    this.#direct = undefined;
    direct.resolve(bytes);
  }

  #giveUp(): void {
    this.#direct = undefined;
  }

  #take(n: number): Buffer {
    const taken = this.#buffer.take(n);
    if (this.#held && this.#buffer.size <= this.#limit) this.#release();
    return taken;
  }

  #drop(n: number): void {
    this.#take(Math.min(n, this.#buffer.size));
  }

  #release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#flow?.resume();
  }
}

function busy(call: string): InvalidStateError {
  return new InvalidStateError(`${call}() called while another task is already waiting for incoming data`);
}

function isList(
  value: string | Uint8Array | readonly (string | Uint8Array)[],
): value is readonly (string | Uint8Array)[] {
  return Array.isArray(value);
}

function bytesOf(separator: string | Uint8Array): Buffer {
  const bytes = typeof separator === 'string' ? Buffer.from(separator) : Buffer.from(separator);
  if (bytes.length === 0) throw new InvalidArgumentError('separator', separator, 'at least one byte');
  return bytes;
}
