/** The answer of an uncontended `acquire`: one promise for all, since to make one costs more than to take a lock. */
export const acquired: Promise<true> = Promise.resolve(true as const);

/** What `guard()` of a lock or semaphore gives: releases once, at the end of the block or before. */
export class Guard implements Disposable {
  #held: { release(): void } | undefined;

  /** @internal */
  constructor(held: { release(): void }) {
    this.#held = held;
  }

  release(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
