import { onFreshStart } from './fresh-start.ts';

/**
 * Keeps the event loop alive while anything is under way. A pending promise alone does not, and a program that waits
 * only for one would end with exit code 13.
 */
export class KeepAlive {
  #held = 0;
  #handle: NodeJS.Timeout | undefined;

  constructor() {
    onFreshStart(() => (this.#held = 0)); // what its parent waited for
  }

  async during<T>(work: Promise<T>): Promise<T> {
    this.hold();
    try {
      return await work;
    } finally {
      this.release();
    }
  }

  hold(): void {
    if (this.#held++ === 0) this.#handle = setInterval(() => {}, 2 ** 30);
  }

  release(): void {
    if (--this.#held === 0) clearInterval(this.#handle);
  }
}
