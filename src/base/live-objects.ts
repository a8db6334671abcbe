/** Objects to be found again as long as somebody else holds them; the collection itself holds none. */
export class LiveObjects<T extends object> implements Iterable<T> {
  readonly #references = new Set<WeakRef<T>>();
  readonly #collected = new FinalizationRegistry<WeakRef<T>>((reference) => this.#references.delete(reference));

  add(object: T): void {
    const reference = new WeakRef(object);
    this.#references.add(reference);
    this.#collected.register(object, reference);
  }

  /** At most so many are there. */
  get size(): number {
    return this.#references.size;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const reference of this.#references) {
      const object = reference.deref();
      if (object !== undefined) yield object;
    }
  }
}
