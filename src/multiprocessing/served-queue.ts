import type { WaitOptions } from '../base/deadline.ts';
import { Deque } from '../base/deque.ts';
import { BrokenError, ClosedError, InvalidStateError } from '../base/errors.ts';
import { Waits } from '../ipc/waits.ts';
import type { Served } from './object-server.ts';
import { undelivered, waits } from './object-server.ts';

/** Bounds of a queue, and how errors name it. */
export interface ServedQueueOptions {
  readonly maxsize: number;
  /** Bytes of the items in it. */
  readonly capacity: number;
  readonly what: string;
}

/**
 * The items of a queue of processes where there is no shared memory: they lie in the process that made it, as bytes, and
 * others reach them over a socket.
 */
export class ServedQueue implements Served {
  readonly [waits] = ['put', 'get', 'join', 'poll'];
  readonly #options: ServedQueueOptions;
  readonly #items = new Deque<Uint8Array>();
  readonly #listeners = new Set<() => void>();
  readonly #puts: Waits;
  readonly #gets: Waits;
  readonly #joins: Waits;
  #bytes = 0;
  #unfinished = 0;
  #closed = false;
  #broken = false;
  #telling = false;

  constructor(options: ServedQueueOptions) {
    this.#options = options;
    const changes = { listen: (fn: () => void) => this.#listen(fn) };
    const waiting = (what: string, inOrder: boolean) => new Waits(changes, { what, inOrder, keepsAlive: false });
    this.#puts = waiting(`room in a ${options.what}`, true);
    this.#gets = waiting(options.what === 'Pipe' ? 'a message' : `an item in a ${options.what}`, true);
    this.#joins = waiting(`the items of a ${options.what} to be done`, false);
  }

  async put(item: Uint8Array, options?: WaitOptions): Promise<void> {
    await this.#puts.until(() => this.tryPut(item) || undefined, options);
  }

  async get(options?: WaitOptions): Promise<Uint8Array> {
    return this.#gets.until(() => this.tryGet(), options);
  }

  /** Until there is something to get, or the end. */
  async poll(options?: WaitOptions): Promise<true> {
    return this.#joins.until(() => this.#items.size > 0 || this.#closed || undefined, options);
  }

  async join(options?: WaitOptions): Promise<true> {
    return this.#joins.until(() => this.#unfinished === 0 || undefined, options);
  }

  tryPut(item: Uint8Array): boolean {
    if (this.#broken) throw new BrokenError('the other end is closed');
    if (this.#closed) throw new ClosedError('the queue is shut down');
    const { maxsize, capacity } = this.#options;
    if (maxsize > 0 && this.#items.size >= maxsize) return false;
    if (this.#items.size > 0 && this.#bytes + item.length > capacity) return false;
    this.#items.push(item);
    this.#bytes += item.length;
    this.#unfinished++;
    this.#changed();
    return true;
  }

  tryGet(): Uint8Array | undefined {
    const item = this.#items.shift();
    if (item === undefined) {
      if (!this.#closed) return undefined;
      throw new ClosedError(this.#options.what === 'Pipe' ? 'the other end is closed' : 'the queue is shut down');
    }
    this.#bytes -= item.length;
    this.#changed();
    return item;
  }

  /** What was got for somebody who is gone is next for another. */
  [undelivered](method: string, item: unknown): void {
    if (method !== 'get' && method !== 'tryGet') return;
    if (!(item instanceof Uint8Array)) return;
    this.#items.unshift(item);
    this.#bytes += item.length;
    this.#changed();
  }

  taskDone(): void {
    if (this.#unfinished === 0) throw new InvalidStateError('taskDone was called more often than items were put');
    this.#unfinished--;
    this.#changed();
  }

  qsize(): number {
    return this.#items.size;
  }

  shutdown(): void {
    this.#closed = true;
    this.#changed();
  }

  /** Nobody will get anything more: puts throw BrokenError. */
  break(): void {
    this.#broken = true;
    this.#changed();
  }

  #listen(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  // Not at once: it is an attempt of one who waits that has changed it.
  #changed(): void {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      for (const look of this.#listeners) look();
    });
  }
}
