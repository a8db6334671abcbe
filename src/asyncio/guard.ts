/** The answer of an uncontended `acquire`: one promise for all, since to make one costs more than to take a lock. */
export const acquired: Promise<true> = Promise.resolve(true as const);

/**
 * Calls `fn` for who holds a lock or permit, and releases when it is over. No async function: each of its promises
 * would cost more than the lock.
 */
export function holding<T>(held: { release(): void }, fn: () => T | PromiseLike<T>): Promise<T> {
  let outcome: T | PromiseLike<T>;
  try {
    outcome = fn();
  } catch (error) {
    held.release();
    return Promise.reject(error);
  }
  return Promise.resolve(outcome).then(
    (value) => {
      held.release();
      return value;
    },
    (error: unknown) => {
      held.release();
      throw error;
    },
  );
}

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
