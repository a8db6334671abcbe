import type { WaitOptions } from '../base/deadline.ts';
import { Deadline, throwIfAborted } from '../base/deadline.ts';
import { ClosedError, EmptyError, FullError, InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import type { Copied, Message } from './message.ts';
import { copyOut, encode } from './message.ts';
import type { Region } from './region.ts';
import { LOOK_AGAIN } from './region.ts';
import { recordBytes, Ring } from './ring.ts';
import type { Store } from './store.ts';
import { Waits } from './waits.ts';
import { untilClosed } from './until-closed.ts';

/** Options of a queue. */
export interface QueueOptions {
  /** Bytes for the items that wait in it (default 1 MiB); an item may take up to half. Rounded up to a power of two. */
  readonly capacity?: number;
}

/** What a new queue begins with. */
export interface QueueStart {
  readonly capacity: number;
  readonly maxsize: number;
}

/** What a queue's constructor takes after its region. */
export type StoreArguments = [start?: QueueStart | undefined, makeStore?: MakeStore];

type MakeStore = (region: Region, start?: { readonly capacity: number; readonly limit: number }) => Store;

const put: Promise<void> = Promise.resolve();

/** First in, first out, through a ring in shared memory. Items are structured clones, taken when they are put. */
export abstract class SharedQueue<T> implements AsyncIterable<T> {
  /** @internal */
  readonly region: Region;
  /** @internal */
  protected readonly ring: Store;
  readonly #puts: Waits;
  readonly #gets: Waits;
  #closed = false;

  protected constructor(region: Region, start?: QueueStart, makeStore: MakeStore = (...args) => new Ring(...args)) {
    this.region = region;
    this.ring = makeStore(region, start && { capacity: start.capacity, limit: checkMaxsize(start.maxsize) });
    this.#puts = new Waits(region, { what: 'room in a Queue', inOrder: true });
    this.#gets = new Waits(region, { what: 'an item in a Queue', inOrder: true });
  }

  /** Most items at a time; 0 if only bytes bound it. */
  get maxsize(): number {
    return this.ring.limit;
  }

  /** Items in it at this moment. */
  qsize(): number {
    return this.ring.size;
  }

  empty(): boolean {
    return this.qsize() === 0;
  }

  /** Whether it holds `maxsize` items. */
  full(): boolean {
    return this.maxsize > 0 && this.qsize() >= this.maxsize;
  }

  /** How many have died in the middle: of a taker its item may be lost, of a putter nothing is. */
  get deaths(): { readonly readers: number; readonly writers: number } {
    return this.ring.deaths;
  }

  /**
   * Adds an item, waiting on the event loop for room. TimeoutError, CancelledError: then it is not added. ClosedError after
   * `close` or `shutdown`; EncodeError if it cannot be cloned; InvalidArgumentError if it is too large for the capacity.
   */
  put(item: T, options: WaitOptions = {}): Promise<void> {
    let message: Message;
    try {
      message = this.#message(item, options.signal);
      if (this.#puts.size === 0 && this.#write(message, this.rankOf(item))) return put;
    } catch (error) {
      return Promise.reject(error);
    }
    const kept = message.keep();
    const rank = this.rankOf(item);
    return this.#puts.until(() => this.#write(kept, rank), options).then(() => {});
  }

  /** As `put`, blocking this thread. */
  putSync(item: T, { timeout, signal }: WaitOptions = {}): void {
    const message = this.#message(item, signal);
    const deadline = Deadline.after(timeout);
    const rank = this.rankOf(item);
    while (!this.#write(message, rank)) {
      if (deadline.passed)
        throw new TimeoutError(`waiting for room in a Queue timed out after ${timeout} s`, { timeout });
      this.ring.waitForSpace(recordBytes(message.size), Math.min(deadline.left, LOOK_AGAIN));
    }
  }

  /** Adds an item if there is room now, else throws FullError. */
  putNowait(item: T): void {
    const rank = this.rankOf(item);
    if (this.#puts.size > 0 || !this.#write(this.#message(item), rank))
      throw new FullError('the queue is full', { item });
  }

  /**
   * Takes the oldest item, waiting on the event loop for one. TimeoutError, CancelledError; ClosedError when it is empty
   * and shut down.
   */
  get(options: WaitOptions = {}): Promise<T> {
    try {
      const record = this.#gets.size === 0 && options.signal?.aborted !== true ? this.#take() : undefined;
      if (record !== undefined) return arrived(record);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#gets.until(() => this.#take(), options).then((record) => arrived<T>(record));
  }

  /** As `get`, blocking this thread. */
  getSync({ timeout, signal }: WaitOptions = {}): T {
    throwIfAborted(signal);
    let deadline: Deadline | undefined;
    for (;;) {
      const record = this.#take();
      if (record !== undefined) return record.value() as T;
      deadline ??= Deadline.after(timeout);
      if (deadline.passed) throw new TimeoutError(`waiting for an item timed out after ${timeout} s`, { timeout });
      this.ring.waitForData(Math.min(deadline.left, LOOK_AGAIN));
    }
  }

  /** Takes the oldest item if there is one now, else throws EmptyError. */
  getNowait(): T {
    const record = this.#gets.size > 0 ? undefined : this.#take();
    if (record === undefined) throw new EmptyError('the queue is empty');
    return record.value() as T;
  }

  /** The items as they come, until it is shut down and empty. */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    return untilClosed(() => this.get());
  }

  /** This process or thread will put nothing more; others may. Items already put stay. */
  close(): void {
    this.#closed = true;
  }

  /** Nobody may put anything more; what is in it can still be taken, then `get` throws ClosedError. For all. */
  shutdown(): void {
    this.ring.close();
  }

  /** Waits until the puts of this process that waited for room are done. */
  async joinThread(options?: WaitOptions): Promise<void> {
    await this.#puts.idle(options);
  }

  /** Gives up the puts of this process that still wait for room: they reject with CancelledError. */
  cancelJoinThread(): void {
    this.#puts.cancelAll();
  }

  #message(item: T, signal?: AbortSignal): Message {
    if (signal !== undefined) throwIfAborted(signal);
    if (this.#closed) throw new ClosedError('the queue is closed here');
    return encode(item);
  }

  /** @internal Where a store orders by it. */
  protected rankOf(_item: T): number {
    return 0;
  }

  #write(message: Message, rank: number): true | undefined {
    if (this.ring.closed) throw new ClosedError('the queue is shut down');
    return this.ring.tryWrite(message, rank) || undefined;
  }

  #take(): Copied | undefined {
    const record = this.ring.tryTake(copyOut);
    if (record === undefined && this.ring.closed && this.ring.isEmpty) throw new ClosedError('the queue is shut down');
    return record;
  }
}

function arrived<T>(record: Copied): Promise<T> {
  return (record.arrive?.() ?? Promise.resolve(record.value())) as Promise<T>;
}

function checkMaxsize(maxsize: number): number {
  if (Number.isInteger(maxsize) && maxsize < 1 << 30) return Math.max(0, maxsize);
  throw new InvalidArgumentError('maxsize', maxsize, 'a whole number, 0 or less for no limit');
}
