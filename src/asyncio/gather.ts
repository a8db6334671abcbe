import { CancelledError, InvalidArgumentError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import type { Awaitable, Outcome } from './awaitable.ts';
import { checkAwaitable, ensureFuture } from './awaitable.ts';
import type { Observer } from './future.ts';
import { Future } from './future.ts';

/** What `gather` does with failures. */
export interface GatherOptions {
  /** Failures, cancellations included, become results in their place, and gather itself never fails. */
  readonly returnExceptions?: boolean | undefined;
}

/**
 * Runs awaitables concurrently; gives their results in the order given. The first failure is thrown at once and the
 * others go on: choose TaskGroup if they should not. Cancelling it, or the task that awaits it, cancels them all. A
 * cancelled awaitable counts as failed with CancelledError. Throws InvalidArgumentError. (asyncio.gather)
 *
 * @example
 * const [user, orders] = await gather([() => fetchUser(id), () => fetchOrders(id)]);
 */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options: GatherOptions & { readonly returnExceptions: true },
): Future<{ -readonly [K in keyof A]: Outcome<A[K]> | Error }>;
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options?: GatherOptions,
): Future<{ -readonly [K in keyof A]: Outcome<A[K]> }>;
export function gather(awaitables: readonly Awaitable<unknown>[], options: GatherOptions = {}): Future<never> {
  if (!Array.isArray(awaitables)) throw new InvalidArgumentError('awaitables', awaitables, 'an array');
  checkOptions(options);
  // Indexed, for forEach and map pass over holes.
  for (let i = 0; i < awaitables.length; i++) checkAwaitable(awaitables[i], `awaitables[${i}]`);
  const children = awaitables.map((awaitable, index) => ensureFuture(awaitable, `awaitables[${index}]`));
  return new Gathering(children, options.returnExceptions ?? false) as Future<unknown> as Future<never>;
}

class Gathering extends Future<unknown[]> implements Observer {
  readonly #children: readonly Future<unknown>[];
  readonly #returnExceptions: boolean;
  #left: number;
  #cancelMessage: string | undefined;
  #cancelRequested = false;

  constructor(children: readonly Future<unknown>[], returnExceptions: boolean) {
    super();
    this.#children = children;
    this.#returnExceptions = returnExceptions;
    this.#left = children.length;
    for (const child of children) {
      child.look();
      if (child.done()) this.notify(child);
      else child.observe(this);
    }
    if (children.length === 0) this.settle('finished', []);
  }

  override get label(): string {
    return `gather (${this.#left} of ${this.#children.length} left)`;
  }

  override cancel(message?: string): boolean {
    if (this.done()) return false;
    let any = false;
    for (const child of this.#children) any = child.cancel(message) || any;
    if (any) {
      this.#cancelRequested = true;
      this.#cancelMessage = message;
    }
    return any;
  }

  notify(child: Future<unknown>): void {
    this.#left--;
    if (this.done()) return;
    if (!this.#returnExceptions && !child.succeeded()) this.settle('failed', child.reason());
    else if (this.#left === 0) this.#finish();
  }

  #finish(): void {
    // Even if every child swallowed it, or its failure is a mere result: whoever cancelled must see a cancellation.
    if (this.#cancelRequested) this.settle('failed', new CancelledError(this.#cancelMessage));
    else
      this.settle(
        'finished',
        this.#children.map((child) => (child.succeeded() ? child.result() : child.reason())),
      );
  }
}
