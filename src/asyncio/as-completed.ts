import { checkSeconds } from '../base/deadline.ts';
import { InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import { Deque } from '../base/deque.ts';
import { checkOptions } from '../base/options.ts';
import type { Awaitable, Outcome } from './awaitable.ts';
import { checkAwaitable, ensureFuture } from './awaitable.ts';
import type { Future } from './future.ts';
import { currentKernel } from './scope.ts';
import { getRunningLoop } from './loop.ts';
import type { Call } from './wait.ts';
import { inCall, Wait } from './wait.ts';

/** How long `asCompleted` goes on. */
export interface AsCompletedOptions {
  /** Seconds for all of them together. */
  readonly timeout?: number | undefined;
}

/**
 * Gives results in the order in which they come: `for await` yields them and throws a failure when it is its turn; a
 * plain `for` yields promises, so that each failure can be dealt with by itself. Throws TimeoutError when `timeout` is
 * over; what runs then goes on. Throws InvalidArgumentError. (asyncio.as_completed)
 *
 * @example
 * for await (const page of asCompleted(urls.map((url) => () => fetchPage(url)))) console.log(page.title);
 */
export function asCompleted<A extends Awaitable<unknown>>(
  awaitables: Iterable<A>,
  options: AsCompletedOptions = {},
): AsyncIterable<Outcome<A>> & Iterable<Promise<Outcome<A>>> {
  if (typeof (awaitables as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator] !== 'function') {
    throw new InvalidArgumentError('awaitables', awaitables, 'an array or another iterable');
  }
  checkOptions(options);
  if (options.timeout !== undefined) checkSeconds('timeout', options.timeout);
  const distinct = new Set<A>(awaitables);
  for (const awaitable of distinct) checkAwaitable(awaitable, 'awaitables');
  const futures = [...distinct].map((awaitable) => ensureFuture(awaitable, 'awaitables') as Future<Outcome<A>>);
  return new Completions(futures, options.timeout);
}

class Completions<T> implements AsyncIterable<T>, Iterable<Promise<T>> {
  readonly #done = new Deque<Future<T>>();
  readonly #waiting = new Deque<Wait<T>>();
  #stopTimer: () => void = () => {};
  #left: number;
  #toYield: number;
  #timedOut: TimeoutError | undefined;

  constructor(futures: readonly Future<T>[], timeout: number | undefined) {
    this.#left = futures.length;
    this.#toYield = futures.length;
    for (const future of futures) {
      if (future.done()) this.#arrive(future);
      else future.observe({ notify: () => this.#arrive(future) });
    }
    if (timeout === undefined || timeout === Infinity || this.#left === 0) return;
    const loop = getRunningLoop();
    const timer = currentKernel().clock.setTimer(timeout, () => this.#expire(timeout));
    const disown = loop.own(() => timer.cancel());
    this.#stopTimer = () => {
      timer.cancel();
      disown();
    };
  }

  *[Symbol.iterator](): Iterator<Promise<T>> {
    let all = false;
    try {
      while (this.#toYield > 0) yield this.#next();
      all = true;
    } finally {
      // Who has all the promises may still be waiting for them; who broke off waits for nothing.
      if (!all) this.#stopTimer();
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => inCall((call) => this.#step(call)),
      return: async () => {
        this.#stopTimer();
        return { done: true, value: undefined };
      },
    };
  }

  async #step(call: Call): Promise<IteratorResult<T>> {
    if (this.#toYield === 0) return { done: true, value: undefined };
    try {
      return { done: false, value: await this.#next(call) };
    } catch (error) {
      // `for await` ends with a failure, and tells nobody.
      this.#stopTimer();
      throw error;
    }
  }

  #next(call?: Call): Promise<T> {
    this.#toYield--;
    const ready = this.#done.shift();
    if (ready !== undefined) return outcomeOf(ready);
    if (this.#timedOut !== undefined) return Promise.reject(this.#timedOut);
    const wait = new Wait<T>(`the next of ${this.#left} tasks`);
    if (call !== undefined) wait.partOf(call);
    this.#waiting.push(wait);
    return wait.promise;
  }

  #arrive(future: Future<T>): void {
    if (--this.#left === 0) this.#stopTimer();
    for (let wait = this.#waiting.shift(); wait !== undefined; wait = this.#waiting.shift()) {
      if (wait.settled) continue;
      future.look();
      if (future.succeeded()) wait.resolve(future.result());
      else wait.reject(future.reason());
      return;
    }
    this.#done.push(future);
  }

  #expire(timeout: number): void {
    this.#stopTimer();
    this.#timedOut = new TimeoutError(`asCompleted timed out after ${timeout} s`, { timeout });
    for (let wait = this.#waiting.shift(); wait !== undefined; wait = this.#waiting.shift())
      wait.reject(this.#timedOut);
  }
}

async function outcomeOf<T>(future: Future<T>): Promise<T> {
  return future.result();
}
