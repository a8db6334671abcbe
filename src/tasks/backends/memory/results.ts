import type { Clock } from '../../../base/clock.ts';
import type { StoredResult } from '../../backend.ts';
import { mayReplace, readyStates } from '../../backend.ts';

/** The results of one `memory://` name, shared by all its backends in this thread. */
export class MemoryResults {
  readonly #clock: Clock;
  // In the order of their storing, so that the expired are at the front.
  readonly #results = new Map<string, { result: StoredResult; stored: number; expires: number }>();
  readonly #waiters = new Map<string, Set<(result: StoredResult) => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  store(result: StoredResult, expiresAfter: number): void {
    this.#sweep();
    const { id, state } = result;
    const old = this.fetch(id);
    if (old !== undefined && !mayReplace(old.state, state)) return;
    const stored = this.#clock.time();
    this.#results.delete(id);
    this.#results.set(id, { result, stored, expires: expiresAfter === 0 ? Infinity : stored + expiresAfter });
    if (readyStates.has(state)) this.#wake(result);
  }

  fetch(id: string): StoredResult | undefined {
    const entry = this.#results.get(id);
    return entry === undefined || entry.expires <= this.#clock.time() ? undefined : entry.result;
  }

  forget(id: string): void {
    this.#results.delete(id);
  }

  /** Calls `wake` once, when the result is final; the function returned calls that off. */
  wait(id: string, wake: (result: StoredResult) => void): () => void {
    let waiters = this.#waiters.get(id);
    if (waiters === undefined) this.#waiters.set(id, (waiters = new Set()));
    waiters.add(wake);
    return () => {
      waiters.delete(wake);
      if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
    };
  }

  #wake(result: StoredResult): void {
    const waiters = this.#waiters.get(result.id);
    this.#waiters.delete(result.id);
    for (const wake of waiters ?? []) wake(result);
  }

  // Handles with different lifetimes may mix, so this stops early at times; fetch never shows an expired one.
  #sweep(): void {
    const time = this.#clock.time();
    for (const [id, entry] of this.#results) {
      if (entry.expires > time) return;
      this.#results.delete(id);
    }
  }
}
