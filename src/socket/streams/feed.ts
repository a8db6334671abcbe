import type { Readable } from 'node:stream';
import { socketError } from './errors.ts';
import type { Flow } from './reader.ts';
import { StreamReader } from './reader.ts';

/** Brings the bytes of a stream of Node's to a reader; the stream can be exchanged for one that lies over it. */
export class Feed implements Flow {
  readonly reader: StreamReader;
  #stream: Readable;
  readonly #data = (data: Buffer): void => this.reader.feedData(data);
  readonly #end = (): void => this.reader.feedEof();
  readonly #error = (error: Error): void => this.reader.setException(socketError(error));

  constructor(stream: Readable, { limit }: { readonly limit?: number | undefined } = {}) {
    this.reader = new StreamReader({ limit, flow: this });
    this.#stream = stream;
    this.attach(stream);
  }

  /** Goes on with another stream. */
  attach(stream: Readable): void {
    this.#stream = stream;
    stream.on('data', this.#data).on('end', this.#end).on('error', this.#error).on('close', this.#end);
    // It may have ended before anybody could listen, in the turn in which its handshake was through.
    if (!stream.destroyed) return;
    if (stream.errored !== null) this.#error(stream.errored);
    this.#end();
  }

  /** Lets go of the stream, which gets back what was read ahead. Throws InvalidStateError while somebody reads. */
  detach(): void {
    const ahead = this.reader.takeBack();
    const stream = this.#stream;
    stream.off('data', this.#data).off('end', this.#end).off('error', this.#error).off('close', this.#end);
    stream.pause();
    if (ahead.length > 0) stream.unshift(ahead);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }
}
