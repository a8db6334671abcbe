import type { Awaitable, Outcome } from './awaitable.ts';
import { ensureFuture } from './awaitable.ts';
import { Future } from './future.ts';

/**
 * Waits for `awaitable` without handing cancellation on to it: if the waiting task is cancelled, the shielded work goes
 * on. A failure after that is the inner work's own, to be looked at there. Throws InvalidArgumentError. (asyncio.shield)
 *
 * @example
 * await shield(() => saveGame(board)); // a cancelled task does not leave half a file
 */
export function shield<A extends Awaitable<unknown>>(awaitable: A): Future<Outcome<A>> {
  const inner = ensureFuture(awaitable, 'awaitable');
  if (inner.done()) return inner as Future<Outcome<A>>;
  return new Shield(inner) as Future<unknown> as Future<Outcome<A>>;
}

class Shield<T> extends Future<T> {
  readonly #inner: Future<T>;

  constructor(inner: Future<T>) {
    super();
    this.#inner = inner;
    inner.observe({ notify: () => this.#innerDone() });
  }

  override get label(): string {
    return `shield (${this.#inner.label})`;
  }

  override get external(): boolean {
    return this.#inner.external;
  }

  #innerDone(): void {
    const inner = this.#inner;
    if (!this.done()) {
      inner.look();
      if (inner.succeeded()) this.settle('finished', inner.result());
      else this.settle(inner.cancelled() ? 'cancelled' : 'failed', inner.reason());
    }
  }
}
