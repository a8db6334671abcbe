import type { Readable, Writable } from 'node:stream';
import { Readable as ReadableStream } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deferred } from '../base/deferred.ts';

/** What a program can be fed: text, bytes, or a source of either. */
export type Input = string | Uint8Array | Readable | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** Collects a stream up to a number of bytes. What came so far can be looked at any time. */
export class Collector {
  readonly #stream: Readable;
  readonly #chunks: Buffer[] = [];
  readonly #done = deferred();
  #size = 0;

  constructor(stream: Readable, limit: number, onOverflow: () => void) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      const room = limit - this.#size;
      this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      this.#size += Math.min(chunk.length, room);
      if (chunk.length <= room) return;
      stream.destroy();
      onOverflow();
    });
    stream.once('close', () => this.#done.resolve());
    stream.on('error', () => {}); // 'close' follows; a pipe that fails has ended
    if (stream.destroyed) this.#done.resolve();
  }

  /** Settles when the stream has ended, by itself or by `stop`. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  get bytes(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#size);
  }

  stop(): void {
    this.#stream.destroy();
  }
}

/** Feeds a program and closes its input. A program that stops reading is no error: it may not have wanted the rest. */
export async function feed(stdin: Writable, input: Input | undefined): Promise<void> {
  stdin.on('error', () => {});
  if (input === undefined || typeof input === 'string' || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  try {
    await pipeline(ReadableStream.from(input), stdin);
  } catch (error) {
    if (!isBrokenPipe(error)) throw error;
  }
}

function isBrokenPipe(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET';
}
