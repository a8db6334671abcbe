import { AsyncResource } from 'node:async_hooks';
import { Deque } from '../base/deque.ts';
import { FullError } from '../base/errors.ts';
import { checkChunksize } from './chunks.ts';
import type { Engine, Holder } from './engine/engine.ts';
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
export class Imap<T, R> implements AsyncIterableIterator<Awaited<R>>, Holder {
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
  /** Taken from the source, not submitted. */
  #items: T[] = [];
  /** Nothing more comes from the source, or after what it threw. */
  #exhausted = false;
  #failure: { readonly error: unknown } | undefined;
  /** Everything has been submitted. */
  #finished = false;
  #returned = false;
  #filling = false;
  /** The source has been asked for an item, and has not given it. */
  #awaited = false;
  /** Submits what is left once the pool is closed, whether or not results are taken. */
  readonly closing = AsyncResource.bind(() => void this.#fill());
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
    engine.hold(this);
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
    this.#returned = true;
    this.#finish();
    this.#values = [];
    for (const { job, outcome } of this.#chunks) if (outcome === undefined) job?.revoke(false);
    this.#chunks.clear();
    this.#underWay = 0;
    this.#wake();
    // A generator that waits within a step ends after it, which may never come.
    if (this.#awaited) this.#closeSource();
    else await this.#source.return?.();
    return { done: true, value: undefined };
  }

  // A source that gives nothing must not keep it waiting.
  ended(error: Error): void {
    this.#giveUp(error);
    this.#wake();
  }

  async #advance(): Promise<IteratorResult<Awaited<R>>> {
    while (this.#at >= this.#values.length) {
      void this.#fill();
      const outcome = this.#chunks.peek()?.outcome;
      if (outcome === undefined) {
        if (this.#finished && this.#underWay === 0) return { done: true, value: undefined };
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

  // Synchronous as far as the source is, so that what it gave is under way when this returns.
  async #fill(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    while (!this.#finished && this.#underWay + this.#unread < this.#most) {
      while (this.#items.length < this.#size && !this.#exhausted) {
        try {
          const step: PromiseLike<IteratorResult<T>> | IteratorResult<T> = this.#source.next();
          const { done, value } = 'then' in step ? await this.#given(step) : step;
          if (done === true) this.#exhausted = true;
          else this.#items.push(value);
        } catch (error) {
          this.#exhausted = true;
          this.#failure = { error };
        }
      }
      if (this.#items.length === 0) this.#finish();
      else if (!this.#finished && !this.#submit(this.#items)) {
        // The end of one under way makes room.
        if (this.#underWay > 0) break;
        await this.#engine.turn();
      }
    }
    this.#filling = false;
    this.#wake();
  }

  async #given<Step>(step: PromiseLike<Step>): Promise<Step> {
    this.#awaited = true;
    try {
      return await step;
    } finally {
      this.#awaited = false;
    }
  }

  // The consumer of a closed pool may come later, as its end may be awaited first.
  get #unread(): number {
    return this.#engine.closing ? 0 : this.#chunks.size;
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#items = [];
    if (this.#failure !== undefined) this.#chunks.push({ outcome: this.#failure, job: undefined });
    this.#engine.release(this);
  }

  /** False if there is no room for it. */
  #submit(items: readonly T[]): boolean {
    const chunk: Chunk<R> = { outcome: undefined, job: undefined };
    const settle = (outcome: Chunk<R>['outcome']) => {
      if (this.#returned) return;
      chunk.outcome = outcome;
      this.#underWay--;
      if (!this.#ordered) this.#chunks.push(chunk);
      if (this.#engine.closing) queueMicrotask(this.closing);
      this.#wake();
    };
    const sink: Sink = {
      fulfil: (values) => settle({ values: values as readonly Awaited<R>[] }),
      fail: (error) => settle({ error }),
    };
    // It may be settled at once.
    this.#underWay++;
    if (this.#ordered) this.#chunks.push(chunk);
    try {
      chunk.job = this.#engine.chunkOf(this, this.#fn, items, sink);
      this.#items = [];
      return true;
    } catch (error) {
      this.#underWay--;
      if (this.#ordered) this.#chunks.pop();
      if (error instanceof FullError) return false;
      this.#giveUp(error);
      return true;
    }
  }

  #giveUp(error: unknown): void {
    this.#exhausted = true;
    this.#failure = { error };
    this.#finish();
    this.#closeSource();
  }

  // What it throws then is of less interest than why it is closed.
  #closeSource(): void {
    void (async () => this.#source.return?.())().catch(() => {});
  }
}
