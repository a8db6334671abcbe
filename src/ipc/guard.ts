/** Holds a lock or a permit for a block: releases once, at its end or before. */
export class Guard implements Disposable {
  #held: { release(): void; readonly recovered?: boolean } | undefined;

  /** @internal */
  constructor(held: { release(): void; readonly recovered?: boolean }) {
    this.#held = held;
  }

  /** Whether the holder before died with it. */
  get recovered(): boolean {
    return this.#held?.recovered ?? false;
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
