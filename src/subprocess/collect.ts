import type { Readable } from 'node:stream';
import { deferred } from '../base/deferred.ts';

/** Collects a stream up to a number of bytes. What came so far can be looked at any time. */
export class Collector {
  readonly #stream: Readable;
  readonly #chunks: Buffer[] = [];
  readonly #done = deferred();
  /** What the stream failed with: `bytes` are not all there was. */
  error: Error | undefined;
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
    stream.on('error', (error) => (this.error ??= error)); // 'close' follows
    this.error = stream.errored ?? undefined;
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
