import type { Sink } from './engine/job.ts';
import { Future } from './future.ts';

/** Puts the results of the chunks of a map together. The first error counts, once all chunks are done. */
export class MapCollector<R> {
  readonly future = new Future<R[]>();
  readonly #results: R[];
  readonly #size: number;
  #left: number;
  #next = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(items: number, chunksize: number) {
    this.#results = Array.from({ length: items });
    this.#size = chunksize;
    this.#left = Math.ceil(items / chunksize);
    if (this.#left === 0) this.future.setResult([]);
  }

  /** What takes the outcome of the next chunk. */
  next(): Sink {
    const start = this.#next;
    this.#next += this.#size;
    return {
      fulfil: (values) => this.#fulfil(start, values as R[]),
      fail: (error) => this.#fail(error),
    };
  }

  #fulfil(start: number, values: readonly R[]): void {
    const results = this.#results;
    for (let i = 0; i < values.length; i++) results[start + i] = values[i]!;
    this.#done();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#done();
  }

  #done(): void {
    if (--this.#left > 0) return;
    if (this.#failure === undefined) this.future.setResult(this.#results);
    else this.future.setException(this.#failure.error);
  }
}
