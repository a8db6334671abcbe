import type { WaitOptions } from '../base/deadline.ts';
import { BrokenError, InvalidArgumentError, nameClass } from '../base/errors.ts';
import { checkWait, inCall, mustWait, Wait } from './wait.ts';

/** The barrier was aborted, or reset while somebody waited. (asyncio.BrokenBarrierError) */
export class BrokenBarrierError extends BrokenError {
  static {
    nameClass(this, 'BrokenBarrierError');
  }
}

/**
 * Lets `parties` tasks go on together once all of them have come; then it is ready for the next round. A waiter that is
 * cancelled or times out has not come: the barrier stays whole and waits for one more. (asyncio.Barrier)
 *
 * @example
 * const barrier = new Barrier(3);
 * const place = await barrier.wait(); // 0, 1 or 2, in the order of arrival
 */
export class Barrier {
  readonly parties: number;
  readonly #waiting = new Set<Wait<number>>();
  #broken = false;

  constructor(parties: number) {
    if (!Number.isInteger(parties) || parties < 1) {
      throw new InvalidArgumentError('parties', parties, 'a whole number: parties must be >= 1');
    }
    this.parties = parties;
  }

  /** How many wait now. */
  get nWaiting(): number {
    return this.#waiting.size;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** Waits for the others; gives this one's place, from 0. Throws BrokenBarrierError, TimeoutError, CancelledError. */
  wait(options?: WaitOptions): Promise<number> {
    checkWait(options);
    // The last one goes on before those it lets go, as in asyncio: their results come through one promise more.
    return inCall(async (call) => {
      if (this.#broken) throw new BrokenBarrierError('Barrier aborted');
      if (this.#waiting.size + 1 === this.parties && !mustWait(options)) return this.#open();
      const wait = new Wait<number>('a Barrier', options, { abandon: () => this.#waiting.delete(wait) }).partOf(call);
      if (!wait.settled) this.#waiting.add(wait);
      return wait.promise;
    });
  }

  /** Sends everybody away with BrokenBarrierError and makes the barrier whole again. */
  reset(): void {
    this.#sendAway('Barrier reset');
    this.#broken = false;
  }

  /** Breaks the barrier: everybody who waits, and whoever comes until `reset`, gets BrokenBarrierError. */
  abort(): void {
    this.#broken = true;
    this.#sendAway('Barrier aborted');
  }

  #open(): number {
    let place = 0;
    for (const wait of this.#waiting) wait.resolve(place++);
    this.#waiting.clear();
    return place;
  }

  #sendAway(message: string): void {
    for (const wait of this.#waiting) wait.reject(new BrokenBarrierError(message));
    this.#waiting.clear();
  }
}
