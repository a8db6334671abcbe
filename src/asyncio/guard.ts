import type { WaitOptions } from '../base/deadline.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import type { Wait } from './wait.ts';
import { inCall } from './wait.ts';

/** The answer of an uncontended `acquire`: one promise for all, since to make one costs more than to take a lock. */
export const acquired: Promise<true> = Promise.resolve(true as const);

/** A lock or semaphore as what holds one for a function or a block sees it. */
export interface Acquirable {
  release(): void;
  /** Takes it, or gives the wait for it. */
  take(options: WaitOptions | undefined): Wait<true> | undefined;
}

/** Calls `fn` once `held` is taken, and releases when it is over. */
export function runHolding<T>(held: Acquirable, fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, 'a function');
  const wait = held.take(options);
  if (wait === undefined) return holding(held, fn);
  return inCall((call) => wait.partOf(call).promise.then(() => holding(held, fn)));
}

/** Takes `held` for a block. */
export function guardOf(held: Acquirable, options?: WaitOptions): Promise<Guard> {
  const wait = held.take(options);
  if (wait === undefined) return Promise.resolve(new Guard(held));
  return inCall((call) => wait.partOf(call).promise.then(() => new Guard(held)));
}

/**
 * Calls `fn` for who holds a lock or permit, and releases when it is over. No async function: each of its promises
 * would cost more than the lock.
 */
function holding<T>(held: { release(): void }, fn: () => T | PromiseLike<T>): Promise<T> {
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
