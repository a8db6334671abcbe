import { Deque } from '../base/deque.ts';
import type { AnyFunction } from '../callable/registry.ts';
import { remote } from './engine/dispatcher.ts';
import type { Engine } from './engine/engine.ts';
import type { Job, Sink } from './engine/job.ts';

const ahead = 64;

/** The items that a generator in a worker gives, as they come. */
export class Stream<Y> implements AsyncIterableIterator<Y>, Sink {
  readonly #engine: Engine;
  readonly #job: Job;
  readonly #items = new Deque<Y | Promise<Y>>();
  #taken = 0;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, fn: AnyFunction, args: readonly unknown[]) {
    this.#engine = engine;
    this.#job = engine.stream(fn, args, ahead, this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Y>> {
    const next = this.#turn.then(() => this.#advance());
    this.#turn = next.catch(() => {});
    return next;
  }

  /** Ends the generator too, and its worker if it does not come to its end in time. */
  return(): Promise<IteratorResult<Y>> {
    if (this.#end === undefined) {
      this.#end = {};
      this.#credit(0);
      this.#engine.revoke(this.#job, true);
    }
    this.#items.clear();
    // A call of `next` may wait for an item of a job that never began, of which nobody would tell.
    this.#wake?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  item(value: unknown): void {
    if (this.#end !== undefined) return;
    this.#items.push(value as Y | Promise<Y>);
    this.#wake?.();
  }

  fulfil(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async #advance(): Promise<IteratorResult<Y>> {
    for (;;) {
      if (this.#items.size > 0) {
        const item = this.#take();
        return { done: false, value: item instanceof Promise ? await this.#late(item) : item };
      }
      if (this.#end !== undefined) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const { error } = this.#end;
    this.#end = {};
    if (error !== undefined) throw error;
    return { done: true, value: undefined };
  }

  async #late(item: Promise<Y>): Promise<Y> {
    try {
      return await item;
    } catch (error) {
      const why = this.#end?.error ?? error;
      await this.return();
      this.#end = {};
      throw why;
    }
  }

  #take(): Y | Promise<Y> {
    const value = this.#items.shift()!;
    if (++this.#taken === ahead / 2) {
      this.#taken = 0;
      this.#credit(ahead / 2);
    }
    return value;
  }

  #credit(items: number): void {
    this.#engine.credit(this.#job, items, (worker, id) => {
      worker.link.host.call(remote.credit, [id, items]).catch(() => {}); // a dead worker has failed the stream
      worker.attend();
    });
  }
}
