import type { Readable, Writable } from 'node:stream';
import { deferred } from '../base/deferred.ts';
import { BrokenError, InvalidArgumentError } from '../base/errors.ts';

/** What a program can be fed: text, bytes, or a source of either. */
export type Input = string | Uint8Array | Readable | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** A program being fed. */
export interface Feed {
  /** Settles when all was handed over, or nobody wants the rest; rejects with the error of the source. */
  readonly done: Promise<void>;
  /** Gives up: the source is told to return, stdin closed. */
  stop(): void;
}

type Encode = (text: string) => Uint8Array;
type Chunks = Iterator<string | Uint8Array> | AsyncIterator<string | Uint8Array>;

/** Feeds a program and closes its input. A program that stops reading is no error: it may not have wanted the rest. */
export function feed(stdin: Writable, input: Input | undefined, encode: Encode): Feed {
  // Errors of stdin only say that nobody reads; those of the source are the caller's to know.
  stdin.on('error', () => {});
  if (input !== undefined && !isWhole(input)) return new Pump(stdin, input, encode);
  stdin.end(input === undefined ? undefined : bytesOf(input, encode));
  return { done: Promise.resolve(), stop: () => {} };
}

/** Throws unless it is something a program can be fed. */
export function checkInput(input: unknown): void {
  if (input === undefined || isWhole(input)) return;
  if (typeof input === 'object' && input !== null && (Symbol.asyncIterator in input || Symbol.iterator in input))
    return;
  throw new InvalidArgumentError('input', input, allowed);
}

const allowed = 'text, bytes (Uint8Array), or a stream or iterable of them';

class Pump implements Feed {
  readonly #stdin: Writable;
  readonly #source: Exclude<Input, string | Uint8Array>;
  readonly #chunks: Chunks;
  readonly #encode: Encode;
  readonly #done = deferred();
  #stopped = false;

  constructor(stdin: Writable, source: Exclude<Input, string | Uint8Array>, encode: Encode) {
    this.#stdin = stdin;
    this.#source = source;
    this.#encode = encode;
    this.#chunks = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#done.promise.catch(() => {}); // told to those who wait
    stdin.once('close', () => this.stop());
    this.#pump().then(this.#done.resolve, (error: unknown) => this.#fail(error));
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#leave();
    this.#stdin.destroy();
    this.#done.resolve();
  }

  async #pump(): Promise<void> {
    for (;;) {
      const next = await this.#chunks.next();
      if (this.#stopped) return;
      if (next.done) break;
      if (!this.#stdin.write(bytesOf(next.value, this.#encode))) await drained(this.#stdin);
    }
    this.#stopped = true;
    this.#stdin.end();
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (error instanceof InvalidArgumentError) this.#leave();
    this.#stdin.destroy();
    this.#done.reject(isCutOff(error) ? cutOff(error) : error);
  }

  // A generator that waits hears of `return` only when it goes on, so nobody waits for that; a stream is ended at once.
  #leave(): void {
    const { destroy } = this.#source as Partial<Readable>;
    if (typeof destroy === 'function') destroy.call(this.#source as Readable);
    else void Promise.resolve(this.#chunks.return?.()).catch(() => {});
  }
}

function isWhole(input: unknown): input is string | Uint8Array {
  return typeof input === 'string' || input instanceof Uint8Array;
}

function bytesOf(chunk: unknown, encode: Encode): Uint8Array {
  if (typeof chunk === 'string') return encode(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  throw new InvalidArgumentError('input', chunk, allowed);
}

function drained(stdin: Writable): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      stdin.removeListener('drain', go).removeListener('close', go);
      resolve();
    };
    stdin.once('drain', go).once('close', go);
    if (stdin.destroyed) go();
  });
}

// A stream that was destroyed without an error before its end.
function isCutOff(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function cutOff(cause: unknown): BrokenError {
  return new BrokenError('input was destroyed before its end, so the program got only a part', { cause });
}
