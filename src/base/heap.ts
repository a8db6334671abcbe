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

  /** Takes an item in; what the comparison throws leaves it out and everything where it was. */
  push(item: T): void {
    const items = this.#items;
    const end = items.push({ item, order: this.#count++ }) - 1;
    let at = end;
    try {
      for (; at > 0 && this.#before(at, (at - 1) >> 1); at = (at - 1) >> 1) this.#swap(at, (at - 1) >> 1);
    } catch (error) {
      // Back to the end by the way it came.
      for (const step of way(at, end)) {
        this.#swap(at, step);
        at = step;
      }
      items.pop();
      throw error;
    }
  }

  /** Takes the least item; what the comparison throws leaves everything where it was. */
  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined) return undefined;
    if (items.length === 0) return top.item;
    items[0] = last;
    let at = 0;
    try {
      for (let next = this.#least(at); next !== at; next = this.#least(at)) {
        this.#swap(at, next);
        at = next;
      }
    } catch (error) {
      for (; at > 0; at = (at - 1) >> 1) this.#swap(at, (at - 1) >> 1);
      items.push(last);
      items[0] = top;
      throw error;
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
    for (let next = this.#least(index); next !== index; next = this.#least(index)) {
      this.#swap(index, next);
      index = next;
    }
  }

  /** Which of an item and its two children comes first. */
  #least(index: number): number {
    let least = index;
    for (let child = 2 * index + 1; child <= 2 * index + 2 && child < this.#items.length; child++) {
      if (this.#before(child, least)) least = child;
    }
    return least;
  }
}

/** The places below `from` on the way down to `to`. */
function way(from: number, to: number): number[] {
  const places: number[] = [];
  for (let at = to; at > from; at = (at - 1) >> 1) places.unshift(at);
  return places;
}
