import type { WaitOptions } from '../base/deadline.ts';
import { acquired } from './guard.ts';
import { checkWait, mustWait } from './wait.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * A flag to wait for. `set` wakes everybody who waits, even if it is cleared before they run. (asyncio.Event)
 *
 * @example
 * const ready = new Event();
 * createTask(async () => { await ready.wait(); start(); });
 * ready.set();
 */
export class Event {
  #set = false;
  readonly #waiters = new WaitQueue<true>();

  isSet(): boolean {
    return this.#set;
  }

  set(): void {
    if (this.#set) return;
    this.#set = true;
    for (let next = this.#waiters.shift(); next !== undefined; next = this.#waiters.shift()) next.resolve(true);
  }

  clear(): void {
    this.#set = false;
  }

  /** Waits until the flag is set. Throws TimeoutError, CancelledError. */
  wait(options?: WaitOptions): Promise<true> {
    if (options !== undefined) checkWait(options);
    if (this.#set && !mustWait(options)) return acquired;
    return this.#waiters.park('an Event', options).promise;
  }
}
