import type { BoundedOptions, Call } from '../../asyncio/wait.ts';
import { checkWait, inCall, mustWait, shareTimeout, Wait } from '../../asyncio/wait.ts';
import type { WaitOptions } from '../../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError } from '../../base/errors.ts';
import { checkOptions } from '../../base/options.ts';
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
    checkOptions(options);
    const { limit = defaultLimit, flow } = options;
    this.#limit = checkLimit(limit);
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
    checkWait(options);
    if (n < 0) return this.#reading('read', options, (more) => this.#readAll(more));
    if (this.#error !== undefined && this.#buffer.size === 0) return Promise.reject(this.#error);
    const ready = n === 0 || this.#buffer.size > 0 || this.#ended;
    if (ready && !mustWait(options)) return Promise.resolve(this.#take(n));
    if (this.#busy) return Promise.reject(busy('read'));
    const wait = new Wait<Buffer>('bytes of a stream', options, this.#directly);
    if (!wait.settled) {
      this.#direct = wait;
      this.#most = n;
    }
    return wait.promise;
  }

  /** Exactly `n` bytes; throws IncompleteReadError, which carries the rest, if the stream ends before. */
  readexactly(n: number, options?: WaitOptions): Promise<Buffer> {
    if (!Number.isInteger(n) || n < 0) {
      return Promise.reject(new InvalidArgumentError('n', n, 'a number of bytes, 0 or more'));
    }
    return this.#reading('readexactly', options, async (more) => {
      while (this.#buffer.size < n) {
        if (this.#error !== undefined) throw this.#error;
        if (this.#ended) throw new IncompleteReadError(this.#take(this.#buffer.size), n);
        // What is asked for must have room, also above the limit.
        this.#release();
        await more();
      }
      return this.#take(n);
    });
  }

  /** A line with its newline; without one at the end of the stream. Throws LimitOverrunError for one too long. */
  readline(options?: WaitOptions): Promise<Buffer> {
    return this.#reading('readline', options, async (more) => {
      try {
        return await this.#until(newline, more);
      } catch (error) {
        if (error instanceof IncompleteReadError) return error.partial;
        // Else every further call would meet the same bytes.
        if (error instanceof LimitOverrunError) this.#drop(error.consumed);
        throw error;
      }
    });
  }

  /**
   * All up to and with the separator, or the first of several to come. Throws IncompleteReadError if the stream ends
   * before, LimitOverrunError if it is not within the limit: then the bytes stay.
   */
  readuntil(
    separator: string | Uint8Array | readonly (string | Uint8Array)[] = '\n',
    options?: WaitOptions,
  ): Promise<Buffer> {
    return this.#reading('readuntil', options, (more) => this.#until(separatorsOf(separator), more));
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

  /** @internal Gives up what is held, for a layer that comes between. */
  takeBack(): Buffer {
    if (this.#busy) throw busy('startTls');
    return this.#take(this.#buffer.size);
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

  async #until(separators: readonly Buffer[], more: () => Promise<void>): Promise<Buffer> {
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
      await more();
    }
  }

  async #readAll(more: () => Promise<void>): Promise<Buffer> {
    while (!this.#ended) {
      if (this.#error !== undefined) throw this.#error;
      this.#release();
      await more();
    }
    return this.#take(this.#buffer.size);
  }

  /** Runs `steps`, which wait by `more`; their timeout is for all of them together. */
  #reading(
    name: string,
    options: WaitOptions | undefined,
    steps: (more: () => Promise<void>) => Promise<Buffer>,
  ): Promise<Buffer> {
    return inCall(async (call) => {
      const shared = shareTimeout(options);
      const more = () => this.#more(name, shared, call);
      if (mustWait(options)) await more();
      return steps(more);
    });
  }

  async #more(name: string, options: BoundedOptions | undefined, call: Call): Promise<void> {
    if (this.#busy) throw busy(name);
    const wait = new Wait<void>('bytes of a stream', options, { external: true }).partOf(call);
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

/** Validates the limit of a reader. */
export function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new InvalidArgumentError('limit', limit, 'a number of bytes above 0');
}

function busy(call: string): InvalidStateError {
  return new InvalidStateError(`${call}() called while another task is already waiting for incoming data`);
}

const newline: readonly Buffer[] = [Buffer.from('\n')];

function separatorsOf(separator: string | Uint8Array | readonly (string | Uint8Array)[]): Buffer[] {
  if (!isList(separator)) return [bytesOf(separator)];
  if (separator.length === 0) throw new InvalidArgumentError('separator', separator, 'at least one separator');
  return separator.map((each) => bytesOf(each));
}

function isList(
  value: string | Uint8Array | readonly (string | Uint8Array)[],
): value is readonly (string | Uint8Array)[] {
  return Array.isArray(value);
}

function bytesOf(separator: string | Uint8Array): Buffer {
  if (typeof separator !== 'string' && !(separator instanceof Uint8Array)) {
    throw new InvalidArgumentError('separator', separator, 'bytes or a string');
  }
  const bytes = Buffer.from(separator as Uint8Array);
  if (bytes.length === 0) throw new InvalidArgumentError('separator', separator, 'at least one byte');
  return bytes;
}
