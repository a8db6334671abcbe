import { isThenable } from '../base/thenable.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { Future } from './future.ts';
import { currentKernel } from './scope.ts';
import { Task } from './task.ts';

/** What gather, wait and the like take: a function to start as a task, a task or future, or a foreign promise. */
export type Awaitable<T> = (() => T | PromiseLike<T>) | PromiseLike<T>;

/** What an awaitable gives. */
export type Outcome<A> = A extends () => infer R ? Awaited<R> : Awaited<A>;

/** The future of an awaitable; the same one for a task or future. */
export function ensureFuture<T>(awaitable: Awaitable<T>, argument: string): Future<T> {
  if (awaitable instanceof Future) return awaitable as Future<T>;
  checkAwaitable(awaitable, argument);
  if (typeof awaitable === 'function') return new Task(awaitable, currentKernel());
  return new ForeignFuture(awaitable);
}

/** Refuses what cannot be awaited: before any of several is started. */
export function checkAwaitable(awaitable: unknown, argument: string): void {
  if (typeof awaitable === 'function' || isThenable(awaitable)) return;
  throw new InvalidArgumentError(argument, awaitable, 'a function, a task, a future or a promise');
}

/** Follows a promise of somebody else. Cancelling it stops the following; the work behind it cannot be reached. */
class ForeignFuture<T> extends Future<T> {
  constructor(promise: PromiseLike<T>) {
    super();
    promise.then(
      (value) => {
        if (!this.done()) this.settle('finished', value);
      },
      (error: unknown) => {
        if (!this.done()) this.settle('failed', error);
      },
    );
  }

  override get label(): string {
    return 'a foreign promise';
  }

  override get external(): boolean {
    return true;
  }
}
