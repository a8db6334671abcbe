import { Event } from '../asyncio/event.ts';
import { BrokenError, InvalidArgumentError, InvalidStateError } from '../base/errors.ts';

/**
 * Puts pieces of code of different tasks in one order: piece 0 runs, then piece 1, and so on. Each number is used
 * once. If a piece is cancelled while it waits, those after it throw BrokenError rather than wait for ever.
 *
 * @example
 * const sequencer = new Sequencer();
 * createTask(() => sequencer.run(1, () => log('second')));
 * createTask(() => sequencer.run(0, () => log('first')));
 */
export class Sequencer {
  readonly #points: Event[] = [];
  readonly #claimed = new Set<number>();
  #broken = false;

  async run<T>(position: number, fn: () => T | PromiseLike<T>): Promise<T> {
    if (!Number.isInteger(position) || position < 0) {
      throw new InvalidArgumentError('position', position, 'a whole number, 0 or more');
    }
    if (this.#claimed.has(position)) throw new InvalidStateError(`sequence point ${position} is used twice`);
    this.#claimed.add(position);
    await this.#reach(position);
    if (this.#broken) throw new BrokenError(`the sequence was broken before point ${position}`);
    try {
      return await fn();
    } finally {
      this.#point(position + 1).set();
    }
  }

  async #reach(position: number): Promise<void> {
    if (position === 0) return;
    try {
      await this.#point(position).wait();
    } catch (error) {
      this.#broken = true;
      for (const point of this.#points) point.set();
      throw error;
    }
  }

  #point(position: number): Event {
    while (this.#points.length <= position) this.#points.push(this.#newPoint());
    return this.#points[position]!;
  }

  #newPoint(): Event {
    const point = new Event();
    if (this.#broken) point.set();
    return point;
  }
}
