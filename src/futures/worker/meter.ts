import { BUSY, DONE } from '../channel/layout.ts';
import type { Memory } from '../channel/memory.ts';

// Milliseconds from which on each call is measured; of shorter ones the clock is read once for several.
const worthwhile = 0.02;
const together = 16;

/** Measures the calls of a worker, for the statistics and for how far ahead it is given work. */
export class Meter {
  /** When the clock was last read (ms). */
  since = 0;
  readonly #words: Int32Array;
  #every = 1;
  #unmeasured = 0;

  constructor({ words }: Memory) {
    this.#words = words;
  }

  /** From now on it is busy. */
  begin(): void {
    this.since = performance.now();
  }

  /** It has nothing to do. */
  end(): void {
    if (this.#unmeasured > 0) this.#measure();
  }

  /** A call is done; its microseconds, or 0 if they were not worth measuring. */
  done(): number {
    if (++this.#unmeasured < this.#every) return 0;
    return this.#measure();
  }

  /** A call is done beside which others may have run. */
  doneAlone(since: number): number {
    const micros = Math.round((performance.now() - since) * 1000);
    this.#count(1, micros);
    return micros;
  }

  #measure(): number {
    const now = performance.now();
    const elapsed = now - this.since;
    const each = elapsed / this.#unmeasured;
    this.#count(this.#unmeasured, Math.round(elapsed * 1000));
    this.#unmeasured = 0;
    this.#every = each < worthwhile ? together : 1;
    this.since = now;
    return Math.round(each * 1000);
  }

  #count(calls: number, micros: number): void {
    Atomics.add(this.#words, BUSY, micros);
    Atomics.add(this.#words, DONE, calls);
  }
}
