import { Deque } from '../base/deque.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { Heap } from '../base/heap.ts';

/** What a queue keeps its items in, which decides their order. */
export interface Store<T> {
  readonly size: number;
  /** Throws InvalidArgumentError for an item that cannot be kept. */
  check(item: T): void;
  push(item: T): void;
  /** The next one; only called if there is one. Throws what a comparison throws, having taken nothing; so does `push`. */
  take(): T;
}

export class FifoStore<T> implements Store<T> {
  readonly #items = new Deque<T>();

  get size(): number {
    return this.#items.size;
  }

  check(): void {}

  push(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    return this.#items.shift() as T;
  }
}

export class LifoStore<T> implements Store<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  check(): void {}

  push(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    return this.#items.pop() as T;
  }
}

export class HeapStore<T> implements Store<T> {
  readonly #items: Heap<T>;
  readonly #check: (item: T) => void;

  constructor(compare: (a: T, b: T) => number, check: (item: T) => void = () => {}) {
    this.#items = new Heap(compare);
    this.#check = check;
  }

  get size(): number {
    return this.#items.size;
  }

  check(item: T): void {
    this.#check(item);
  }

  push(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    return this.#items.pop() as T;
  }
}

/** The natural order; arrays by their first elements that differ, of which only those compared need an order. */
export const defaultOrder = { compare, check };

function compare(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b);
  const [left, right] = [a as number, b as number];
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function check(item: unknown): void {
  const first: unknown = Array.isArray(item) ? item[0] : item;
  const ordered = ['number', 'string', 'bigint'].includes(typeof first) || first instanceof Date;
  if (ordered && !Number.isNaN(first)) return;
  throw new InvalidArgumentError('item', item, 'something with an order (or give PriorityQueue a compare function)');
}
