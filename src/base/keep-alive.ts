import { onFreshStart } from './fresh-start.ts';

/**
 * Keeps the event loop alive while anything is under way. A pending promise alone does not, and a program that waits
 * only for one would end with exit code 13.
 */
export class KeepAlive {
  #held = 0;
  #handle: NodeJS.Timeout | undefined;

  async during<T>(work: Promise<T>): Promise<T> {
    this.hold();
    try {
      return await work;
    } finally {
      this.release();
    }
  }

  hold(): void {
    if (this.#held++ > 0) return;
    this.#handle = setInterval(() => {}, 2 ** 30);
    held.add(this);
  }

  release(): void {
    if (--this.#held > 0) return;
    clearInterval(this.#handle);
    held.delete(this);
  }

  /** @internal */
  forget(): void {
    this.#held = 0;
  }
}

const held = new Set<KeepAlive>();

// What a forked process's parent waited for.
onFreshStart(() => {
  for (const keepAlive of held) keepAlive.forget();
  held.clear();
});
