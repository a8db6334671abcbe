import { constants } from 'node:buffer';
import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { cloneError } from '../callable/clone.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { within } from '../base/deadline.ts';
import { deferred } from '../base/deferred.ts';
import type { Deferred } from '../base/deferred.ts';
import { ClosedError, DecodeError, TimeoutError } from '../base/errors.ts';
import { Deque } from '../base/deque.ts';
import { endings, throwIfAnyAborted } from '../base/ending-signals.ts';
import { untilClosed } from './until-closed.ts';

const lengthBytes = 4;
// What the length can tell, and what fits into one Buffer together with it and the begin of the next message.
const largestMessage = Math.min(2 ** 32 - 1, constants.MAX_LENGTH - (1 << 20));

/** Bounds of a framed connection. */
export interface FramedOptions {
  /** Bytes of the largest message taken (default 64 Mi); a larger one ends the connection. */
  readonly largest?: number;
}

/** The bytes of a value, to be sent as one message. RangeError if they are too many; what cannot be cloned is v8's error. */
export function frameOf(value: unknown, largest = largestMessage): Buffer {
  const bytes = serialized(value);
  checkSize(bytes.byteLength, largest);
  return bytes;
}

function serialized(value: unknown): Buffer {
  try {
    return serialize(value);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw tooLarge(`more than ${constants.MAX_LENGTH}`, largestMessage, error);
  }
}

function checkSize(size: number, largest: number): void {
  if (size > largest) throw tooLarge(String(size), largest);
}

function tooLarge(size: string, largest: number, cause?: unknown): RangeError {
  const advice = 'share the memory, or send it in parts';
  return new RangeError(`a message of ${size} bytes, ${largest} at most can be sent: ${advice}`, { cause });
}

/** Messages over a byte stream: each with its length before it, values as structured clones. */
export class FramedConnection implements AsyncIterable<unknown>, AsyncDisposable {
  readonly #socket: Socket;
  readonly #frames = new Deque<Buffer>();
  readonly #waiting: Deferred<Buffer>[] = [];
  readonly #polling = new Set<() => void>();
  #largest: number;
  #buffered: Buffer[] = [];
  #size = 0;
  // Nothing is to be had before as many bytes are there: a large message comes in many chunks.
  #needed = lengthBytes;
  #end: Error | undefined;

  constructor(socket: Socket, { largest = 64 << 20 }: FramedOptions = {}) {
    this.#socket = socket;
    this.#largest = largest;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#finish(new ClosedError('the connection broke', { cause: error })));
    socket.on('close', () => this.#finish(new ClosedError('the other end is closed')));
  }

  get closed(): boolean {
    return this.#end !== undefined;
  }

  /** Sends a value; settles when the operating system has it. ClosedError, EncodeError. */
  async send(value: unknown): Promise<void> {
    let bytes: Buffer;
    try {
      bytes = frameOf(value);
    } catch (cause) {
      throw cloneError('value', value, cause);
    }
    await this.sendBytes(bytes);
  }

  /** Receives the next value. ClosedError at the end, TimeoutError, CancelledError. */
  async recv(options?: WaitOptions): Promise<unknown> {
    return this.#value(await this.recvBytes(options));
  }

  #value(bytes: Buffer): unknown {
    try {
      return deserialize(bytes);
    } catch (cause) {
      throw new DecodeError('a message that is no serialised value', { cause });
    }
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    checkSize(bytes.byteLength, largestMessage);
    const header = Buffer.alloc(lengthBytes);
    header.writeUInt32LE(bytes.byteLength);
    this.#socket.cork();
    this.#socket.write(header);
    const sent = new Promise<void>((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(this.#end ?? error) : resolve()));
    });
    this.#socket.uncork();
    await sent;
  }

  async recvBytes(options: WaitOptions = {}): Promise<Buffer> {
    const bounds = endings(options);
    throwIfAnyAborted(bounds.signals);
    return this.receive(bounds);
  }

  /** @internal As `recvBytes`, for who serves a connection: no asyncio task ends it but by a signal given. */
  async receive(bounds: { timeout?: number | undefined; signals?: readonly AbortSignal[] } = {}): Promise<Buffer> {
    const frame = this.#frames.shift();
    if (frame !== undefined) {
      this.#socket.resume();
      return frame;
    }
    if (this.#end !== undefined) throw this.#end;
    const waiting = deferred<Buffer>();
    this.#waiting.push(waiting);
    try {
      return await within(waiting.promise, { ...bounds, what: 'waiting for a message' });
    } catch (error) {
      const index = this.#waiting.indexOf(waiting);
      if (index >= 0) this.#waiting.splice(index, 1);
      throw error;
    }
  }

  /** Whether `recv` would not wait (a message, or the end), within `timeout` seconds (default 0). CancelledError. */
  async poll(timeout = 0, { signal }: { signal?: AbortSignal } = {}): Promise<boolean> {
    if (this.#ready() || timeout === 0) return this.#ready();
    const look = deferred();
    this.#polling.add(look.resolve);
    try {
      await within(look.promise, { timeout, signal, what: 'waiting for a message' });
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    } finally {
      this.#polling.delete(look.resolve);
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    // No call of a task's: whoever serves a connection may have been begun in one.
    return untilClosed(async () => this.#value(await this.receive()));
  }

  /** @internal The other end is ours: from now on messages may be of any size that the length before them can tell. */
  trust(): void {
    this.#largest = largestMessage;
  }

  /** It does not keep the program alive. */
  unref(): void {
    this.#socket.unref();
  }

  /** Ends it after what was sent has gone out. Idempotent. */
  async close(): Promise<void> {
    if (this.#socket.closed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end(() => this.#socket.destroy());
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(chunk: Buffer): void {
    this.#buffered.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return;
    let all = this.#buffered.length === 1 ? chunk : Buffer.concat(this.#buffered);
    for (;;) {
      this.#needed = lengthBytes;
      if (all.length < lengthBytes) break;
      const length = all.readUInt32LE(0);
      if (length > this.#largest) return this.#refuse(length);
      this.#needed = lengthBytes + length;
      if (all.length < this.#needed) break;
      this.#deliver(all.subarray(lengthBytes, this.#needed));
      all = all.subarray(this.#needed);
    }
    this.#buffered = all.length === 0 ? [] : [all];
    this.#size = all.length;
    // Nobody takes: the sender has to wait.
    if (this.#frames.size > 64) this.#socket.pause();
  }

  #deliver(frame: Buffer): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting.resolve(frame);
    this.#frames.push(frame);
    for (const look of this.#polling) look();
  }

  #ready(): boolean {
    return this.#frames.size > 0 || this.#end !== undefined;
  }

  #refuse(length: number): void {
    const error = new DecodeError(`a message of ${length} bytes, more than the ${this.#largest} that are taken`);
    this.#finish(error);
    this.#socket.destroy();
  }

  #finish(end: Error): void {
    this.#end ??= end;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#end);
    for (const look of this.#polling) look();
  }
}
