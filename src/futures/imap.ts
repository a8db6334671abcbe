import { Deque } from '../base/deque.ts';
import { checkChunksize } from './chunks.ts';
import type { Engine } from './engine/engine.ts';
import type { Job, Sink } from './engine/job.ts';

export interface ImapOptions {
  readonly chunksize?: number;
  /** In the order of the items, or of their completion. */
  readonly ordered: boolean;
}

interface Chunk<R> {
  outcome: { readonly values: readonly Awaited<R>[] } | { readonly error: unknown } | undefined;
  job: Job | undefined;
}

/** Runs items as they are taken from the iterable, a bounded number of chunks ahead of the consumer. */
export class Imap<T, R> implements AsyncIterableIterator<Awaited<R>> {
  readonly #engine: Engine;
  readonly #fn: (item: T) => R;
  readonly #source: Iterator<T> | AsyncIterator<T>;
  readonly #size: number;
  readonly #ordered: boolean;
  readonly #most: number;
  /** Ordered: all chunks not yet consumed; else those that are done. */
  readonly #chunks = new Deque<Chunk<R>>();
  #underWay = 0;
  #values: readonly Awaited<R>[] = [];
  #at = 0;
  #exhausted = false;
  #wake = () => {};
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    engine: Engine,
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    { chunksize = 1, ordered }: ImapOptions,
  ) {
    this.#engine = engine;
    this.#fn = fn;
    this.#source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    this.#size = checkChunksize(chunksize);
    this.#ordered = ordered;
    this.#most = Math.max(engine.maxWorkers * 4, Math.ceil(1024 / chunksize));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  // One at a time, as a generator would.
  next(): Promise<IteratorResult<Awaited<R>>> {
    const next = this.#turn.then(() => this.#advance());
    this.#turn = next.catch(() => {});
    return next;
  }

  async return(): Promise<IteratorResult<Awaited<R>>> {
    this.#exhausted = true;
    this.#values = [];
    for (const { job, outcome } of this.#chunks) if (outcome === undefined) job?.revoke(false);
    this.#chunks.clear();
    this.#underWay = 0;
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  async #advance(): Promise<IteratorResult<Awaited<R>>> {
    while (this.#at >= this.#values.length) {
      await this.#fill();
      if (this.#underWay === 0 && this.#chunks.size === 0) return { done: true, value: undefined };
      const outcome = this.#chunks.peek()?.outcome;
      if (outcome === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      this.#chunks.shift();
      if ('error' in outcome) throw outcome.error;
      this.#values = outcome.values;
      this.#at = 0;
    }
    return { done: false, value: this.#values[this.#at++]! };
  }

  async #fill(): Promise<void> {
    while (!this.#exhausted && this.#underWay + this.#chunks.size < this.#most) {
      const items: T[] = [];
      while (items.length < this.#size && !this.#exhausted) {
        const step = this.#source.next();
        const { done, value } = step instanceof Promise ? await step : step;
        if (done === true) this.#exhausted = true;
        else items.push(value);
      }
      if (items.length > 0) this.#submit(items);
    }
  }

  #submit(items: readonly T[]): void {
    const chunk: Chunk<R> = { outcome: undefined, job: undefined };
    this.#underWay++;
    if (this.#ordered) this.#chunks.push(chunk);
    const settle = (outcome: Chunk<R>['outcome']) => {
      chunk.outcome = outcome;
      this.#underWay--;
      if (!this.#ordered) this.#chunks.push(chunk);
      this.#wake();
    };
    const sink: Sink = {
      fulfil: (values) => settle({ values: values as readonly Awaited<R>[] }),
      fail: (error) => settle({ error }),
    };
    chunk.job = this.#engine.chunk(this.#fn, items, 'each', sink);
  }
}
