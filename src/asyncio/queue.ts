import type { WaitOptions } from '../base/deadline.ts';
import {
  ClosedError,
  EmptyError,
  FullError,
  InvalidArgumentError,
  InvalidStateError,
  nameClass,
} from '../base/errors.ts';
import type { Store } from './queue-store.ts';
import { defaultOrder, FifoStore, HeapStore, LifoStore } from './queue-store.ts';
import { checkWait, mustWait, Wait } from './wait.ts';
import { WaitQueue } from './wait-queue.ts';

/** The queue was shut down: nothing can be put, or nothing is left to get. (asyncio.QueueShutDown) */
export class QueueShutDown extends ClosedError {
  constructor() {
    super('the queue was shut down');
  }

  static {
    nameClass(this, 'QueueShutDown');
  }
}

/**
 * Hands items from task to task, first in, first out; bounded by `maxsize` (0: unbounded). Getters and putters are
 * served in the order in which they came, and an item goes to exactly one getter: one that is cancelled or times out
 * has got none, and such a putter has put none. `for await` takes items until the queue is shut down and empty.
 * (asyncio.Queue)
 *
 * @example
 * const queue = new Queue<string>(100);
 * createTask(async () => { for await (const url of queue) { await visit(url); queue.taskDone(); } });
 * await queue.put('https://example.org');
 * await queue.join();
 */
export class Queue<T> implements AsyncIterable<T> {
  readonly maxsize: number;
  readonly #store: Store<T>;
  readonly #getters = new WaitQueue<T>();
  // In the order of their coming, each with what it wants to put.
  readonly #putters = new Map<Wait<void>, T>();
  readonly #joiners = new WaitQueue<void>();
  #unfinished = 0;
  #shutDown = false;

  constructor(maxsize?: number);
  /** @internal */
  constructor(maxsize: number | undefined, store: Store<T>);
  constructor(maxsize = 0, store: Store<T> = new FifoStore<T>()) {
    if (maxsize !== Infinity && (!Number.isInteger(maxsize) || maxsize < 0)) {
      throw new InvalidArgumentError('maxsize', maxsize, 'a whole number, 0 or more');
    }
    this.maxsize = maxsize === Infinity ? 0 : maxsize;
    this.#store = store;
  }

  qsize(): number {
    return this.#store.size;
  }

  empty(): boolean {
    return this.#store.size === 0;
  }

  full(): boolean {
    return this.maxsize > 0 && this.#store.size >= this.maxsize;
  }

  /**
   * Waits for room and puts `item`. Throws QueueShutDown, TimeoutError, CancelledError: then it is not in the queue.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    if (options !== undefined) checkWait(options);
    this.#store.check(item);
    if (this.#shutDown) return Promise.reject(new QueueShutDown());
    if (this.full() || mustWait(options)) return this.#waitForRoom(item, options);
    this.#accept(item);
    return accepted;
  }

  /** Throws FullError, which carries the item, or QueueShutDown. */
  putNowait(item: T): void {
    this.#store.check(item);
    if (this.#shutDown) throw new QueueShutDown();
    if (this.full()) throw new FullError('queue full', { item });
    this.#accept(item);
  }

  /** Waits for an item and takes it. Throws QueueShutDown, TimeoutError, CancelledError: then it has taken none. */
  get(options?: WaitOptions): Promise<T> {
    if (options !== undefined) checkWait(options);
    if (this.#store.size > 0 && !mustWait(options)) return this.#takeNow();
    if (this.#shutDown) return Promise.reject(new QueueShutDown());
    return this.#getters.park('an item of a Queue', options).promise;
  }

  /** Throws EmptyError, or QueueShutDown. */
  getNowait(): T {
    if (this.#store.size > 0) return this.#take();
    throw this.#shutDown ? new QueueShutDown() : new EmptyError('queue empty');
  }

  /** Says that the work on one item is done, for `join`. */
  taskDone(): void {
    if (this.#unfinished === 0) throw new InvalidStateError('taskDone() called too many times');
    if (--this.#unfinished > 0) return;
    for (let next = this.#joiners.shift(); next !== undefined; next = this.#joiners.shift()) next.resolve();
  }

  /** Waits until `taskDone` was called for every item. Throws TimeoutError, CancelledError. */
  join(options?: WaitOptions): Promise<void> {
    checkWait(options);
    if (this.#unfinished === 0 && !mustWait(options)) return accepted;
    return this.#joiners.park('the end of the work of a Queue', options).promise;
  }

  /** Refuses further items and ends who waits; `immediate` also drops what is in the queue. */
  shutdown(immediate = false): void {
    this.#shutDown = true;
    if (immediate) this.#drop();
    for (let getter = this.#getters.shift(); getter !== undefined; getter = this.#getters.shift()) {
      getter.reject(new QueueShutDown());
    }
    for (const putter of this.#putters.keys()) putter.reject(new QueueShutDown());
    this.#putters.clear();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof QueueShutDown) return;
        throw error;
      }
      yield item;
    }
  }

  #drop(): void {
    while (this.#store.size > 0) {
      this.#store.take();
      if (this.#unfinished > 0) this.taskDone();
    }
  }

  #accept(item: T): void {
    // Who waits to get finds the queue empty, so in every order the new item is the next.
    const getter = this.#getters.shift();
    if (getter === undefined) this.#store.push(item);
    else getter.resolve(item);
    this.#unfinished++;
  }

  // A comparison may throw, and who awaits the item is to be told.
  #takeNow(): Promise<T> {
    try {
      return Promise.resolve(this.#take());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #take(): T {
    const item = this.#store.take();
    for (const [putter, offer] of this.#putters) {
      if (this.full()) break;
      this.#putters.delete(putter);
      try {
        this.#accept(offer);
      } catch (error) {
        // A comparison that throws is the error of who puts, not of who made room.
        putter.reject(error);
        continue;
      }
      putter.resolve();
    }
    return item;
  }

  #waitForRoom(item: T, options: WaitOptions | undefined): Promise<void> {
    const wait = new Wait<void>('room in a Queue', options, { abandon: (self) => this.#putters.delete(self) });
    if (!wait.settled) this.#putters.set(wait, item);
    return wait.promise;
  }
}

const accepted: Promise<void> = Promise.resolve();

/** A queue that gives the latest item first. (asyncio.LifoQueue) */
export class LifoQueue<T> extends Queue<T> {
  constructor(maxsize?: number) {
    super(maxsize, new LifoStore<T>());
  }
}

/**
 * A queue that gives the least item first, equal ones in the order in which they came. Numbers, strings, bigints and
 * dates have their natural order, arrays that of their first element that differs; for the rest give `compare`.
 * (asyncio.PriorityQueue)
 *
 * @example
 * const queue = new PriorityQueue<[number, string]>();
 * queue.putNowait([2, 'later']);
 * queue.putNowait([1, 'now']);
 * queue.getNowait(); // [1, 'now']
 */
export class PriorityQueue<T> extends Queue<T> {
  constructor(maxsize?: number, compare?: (a: T, b: T) => number) {
    if (compare !== undefined && typeof compare !== 'function') {
      throw new InvalidArgumentError('compare', compare, 'a function');
    }
    super(
      maxsize,
      compare === undefined ? new HeapStore<T>(defaultOrder.compare, defaultOrder.check) : new HeapStore<T>(compare),
    );
  }
}
