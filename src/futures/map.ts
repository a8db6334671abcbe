import { InvalidArgumentError } from '../base/errors.ts';
import type { AnyFunction } from '../callable/registry.ts';
import { checkChunksize } from './chunks.ts';
import type { Engine } from './engine/engine.ts';
import { Future } from './future.ts';
import type { MapOptions, SubmitOptions } from './options.ts';

/** The results of `Executor.map`, in the order of the items. */
export class ExecutorMap<R> implements AsyncIterableIterator<R> {
  readonly #engine: Engine;
  readonly #fn: AnyFunction;
  readonly #sources: Iterator<unknown>[];
  readonly #options: SubmitOptions | undefined;
  readonly #size: number;
  /** Chunks ahead of the consumer. */
  readonly #most: number;
  #futures: Future<readonly R[]>[] = [];
  #values: readonly R[] = [];
  #at = 0;
  #exhausted = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    engine: Engine,
    fn: AnyFunction,
    sources: readonly Iterable<unknown>[],
    { chunksize = 1, buffersize, ...options }: MapOptions,
  ) {
    this.#engine = engine;
    this.#fn = fn;
    this.#size = checkChunksize(chunksize);
    if (buffersize !== undefined && (!Number.isInteger(buffersize) || buffersize < 1))
      throw new InvalidArgumentError('buffersize', buffersize, 'a whole number above 0');
    this.#most = buffersize === undefined ? Infinity : Math.max(1, Math.floor(buffersize / chunksize));
    this.#options = Object.keys(options).length === 0 ? undefined : options;
    this.#sources = sources.map((source) => source[Symbol.iterator]());
    this.#fill();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<R>> {
    const next = this.#turn.then(() => this.#advance());
    this.#turn = next.catch(() => {});
    return next;
  }

  return(): Promise<IteratorResult<R>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #advance(): Promise<IteratorResult<R>> {
    while (this.#at >= this.#values.length) {
      const future = this.#futures.shift();
      if (future === undefined) return { done: true, value: undefined };
      try {
        this.#values = await future.result();
      } catch (error) {
        this.#end();
        throw error;
      }
      this.#at = 0;
      this.#fill();
    }
    return { done: false, value: this.#values[this.#at++]! };
  }

  // What waits is cancelled; what runs may end for nobody.
  #end(): void {
    this.#exhausted = true;
    this.#values = [];
    for (const future of this.#futures.splice(0)) {
      future.look();
      future.cancel();
    }
    for (const source of this.#sources) source.return?.();
  }

  #fill(): void {
    while (!this.#exhausted && this.#futures.length < this.#most) {
      const chunk = this.#chunk();
      if (chunk.length === 0) return;
      const future = new Future<readonly R[]>();
      // Whoever stops reading before has not lost it.
      future.look();
      this.#submit(chunk, future);
      this.#futures.push(future);
    }
  }

  #submit(chunk: readonly unknown[], future: Future<readonly R[]>): void {
    try {
      future.follow(this.#engine.chunk(this.#fn, chunk, this.#form, future, this.#options));
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  get #form(): 'each' | 'spread' {
    return this.#sources.length === 1 ? 'each' : 'spread';
  }

  #chunk(): unknown[] {
    const chunk: unknown[] = [];
    while (chunk.length < this.#size) {
      const steps = this.#sources.map((source) => source.next());
      if (steps.some((step) => step.done === true)) {
        this.#exhausted = true;
        break;
      }
      const values: unknown[] = steps.map((step): unknown => step.value);
      chunk.push(this.#sources.length === 1 ? values[0] : values);
    }
    return chunk;
  }
}
