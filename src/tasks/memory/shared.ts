import type { Clock } from '../../base/clock.ts';

/** One handle's share of something that lives as long as any handle of its name is open. */
export interface Share<T> {
  readonly value: T;
  /** Idempotent. */
  release(): void;
}

/** Things shared by name within this thread; the last release forgets the thing, so that each test starts afresh. */
export class SharedByName<T> {
  readonly #create: (clock: Clock) => T;
  readonly #dispose: (value: T) => void;
  readonly #entries = new Map<string, { value: T; handles: number }>();

  constructor(create: (clock: Clock) => T, dispose: (value: T) => void = () => {}) {
    this.#create = create;
    this.#dispose = dispose;
  }

  /** The clock counts only for the first handle of a name. */
  acquire(name: string, clock: Clock): Share<T> {
    let entry = this.#entries.get(name);
    if (entry === undefined) this.#entries.set(name, (entry = { value: this.#create(clock), handles: 0 }));
    entry.handles++;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      if (--entry.handles > 0) return;
      this.#entries.delete(name);
      this.#dispose(entry.value);
    };
    return { value: entry.value, release };
  }
}
