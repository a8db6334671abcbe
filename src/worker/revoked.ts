import type { Clock } from '../base/clock.ts';

const capacity = 50_000;
const lifetime = 10_800;

/**
 * Ids of tasks that are not to run, as they were heard over remote control: the newest 50,000 of the last three hours,
 * as Celery keeps them. What is to hold for longer is stored with the results.
 */
export class RevokedIds {
  readonly #clock: Clock;
  /** In order of time, the oldest first. */
  readonly #times = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(id: string): void {
    this.#times.delete(id);
    this.#times.set(id, this.#clock.now());
    this.#forget();
  }

  has(id: string): boolean {
    return this.#times.size > 0 && this.#times.has(id);
  }

  /** Ids, each with its age in seconds. */
  list(): { id: string; age: number }[] {
    this.#forget();
    return Array.from(this.#times, ([id, time]) => ({ id, age: this.#clock.now() - time }));
  }

  #forget(): void {
    const oldest = this.#clock.now() - lifetime;
    for (const [id, time] of this.#times) {
      if (time >= oldest && this.#times.size <= capacity) return;
      this.#times.delete(id);
    }
  }
}
