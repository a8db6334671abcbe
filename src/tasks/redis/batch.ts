/**
 * Joins the calls of one tick: `work` gets all their items and gives one answer for each. A tick runs when all promise
 * reactions have, so whoever was answered together asks together.
 */
export class Batch<Item, Answer> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly #most: number;
  #items: Item[] = [];
  #answers: Promise<readonly Answer[]> | undefined;

  constructor(most: number, work: (items: readonly Item[]) => Promise<readonly Answer[]>) {
    this.#most = most;
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
    if (items.length <= this.#most) return this.#work(items);
    const parts: Promise<readonly Answer[]>[] = [];
    for (let i = 0; i < items.length; i += this.#most) parts.push(this.#work(items.slice(i, i + this.#most)));
    return (await Promise.all(parts)).flat();
  }
}
