/** A binary heap: the least item by `compare` first; equal items leave in the order in which they came. */
export class Heap<T> {
  #items: { item: T; order: number }[] = [];
  #count = 0;
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0]?.item;
  }

  push(item: T): void {
    this.#items.push({ item, order: this.#count++ });
    this.#up(this.#items.length - 1);
  }

  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (top === undefined || last === undefined) return undefined;
    if (this.#items.length > 0) {
      this.#items[0] = last;
      this.#down(0);
    }
    return top.item;
  }

  /** Removes the first item equal by identity; false if there is none. O(n). */
  remove(item: T): boolean {
    const index = this.#items.findIndex((entry) => entry.item === item);
    if (index < 0) return false;
    const last = this.#items.pop()!;
    if (index < this.#items.length) {
      this.#items[index] = last;
      this.#up(index);
      this.#down(index);
    }
    return true;
  }

  /** The items in no particular order. */
  *[Symbol.iterator](): Iterator<T> {
    for (const entry of this.#items) yield entry.item;
  }

  #before(a: number, b: number): boolean {
    const left = this.#items[a]!;
    const right = this.#items[b]!;
    return (this.#compare(left.item, right.item) || left.order - right.order) < 0;
  }

  #swap(a: number, b: number): void {
    const items = this.#items;
    [items[a], items[b]] = [items[b]!, items[a]!];
  }

  #up(index: number): void {
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #down(index: number): void {
    for (;;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#items.length && this.#before(child, least)) least = child;
      }
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }
}
