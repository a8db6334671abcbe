import type { Movable } from './transfer.ts';

export type Post<T> = (batch: readonly T[], moved: readonly Movable[]) => void;

/**
 * Gathers messages and posts them in one batch a turn: the cost of a post is per message, not per byte. Only messages
 * made of primitives may wait; others are posted at once, so that what the sender changes afterwards does not travel.
 */
export class Outbox<T> {
  readonly #post: Post<T>;
  readonly #schedule: (flush: () => void) => void;
  #batch: T[] = [];
  #scheduled = false;

  constructor(post: Post<T>, schedule: (flush: () => void) => void) {
    this.#post = post;
    this.#schedule = schedule;
  }

  /** For messages that nobody can change any more. */
  defer(message: T): void {
    this.#batch.push(message);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Throws what the transport throws for a value that cannot be cloned; the messages before it are on their way. */
  send(message: T, moved: readonly Movable[]): void {
    this.flush();
    this.#post([message], moved);
  }

  flush(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#post(batch, []);
  }
}

/** Whether a value is the same whenever it is cloned, and surely can be. */
export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol');
}
