import { portions } from './portions.ts';

/**
 * Joins the calls of one tick: `work` gets all their items and gives one answer for each. A tick runs when all promise
 * reactions have, so whoever was answered together asks together.
 */
export class Batch<Item, Answer> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly #most: number;
  readonly #size: (item: Item) => number;
  #items: Item[] = [];
  #answers: Promise<readonly Answer[]> | undefined;

  /** `size`: the bytes of an item, if they count. */
  constructor(
    most: number,
    work: (items: readonly Item[]) => Promise<readonly Answer[]>,
    size: (item: Item) => number = () => 0,
  ) {
    this.#most = most;
    this.#size = size;
    this.#work = work;
  }

  async add(items: readonly Item[]): Promise<readonly Answer[]> {
    const start = this.#items.length;
    for (const item of items) this.#items.push(item);
    this.#answers ??= this.#next();
    const answers = await this.#answers;
    return answers.slice(start, start + items.length);
  }

  async #next(): Promise<readonly Answer[]> {
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const items = this.#items;
    this.#items = [];
    this.#answers = undefined;
    const parts = portions(items, this.#most, this.#size);
    if (parts.length === 1) return this.#work(items);
    return (await Promise.all(parts.map((part) => this.#work(part)))).flat();
  }
}
