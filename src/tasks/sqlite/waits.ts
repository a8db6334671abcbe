import type { Answer } from './protocol.ts';
import type { Results } from './results.ts';

/**
 * Those who wait for results, by the task's id. However many they are, a ring of the bell is one query, and the queries
 * take a fifth of the thread's time at most.
 */
export class Waits {
  readonly #results: Results;
  readonly #look: () => void;
  readonly #calls = new Map<string, Set<number>>();
  readonly #ids = new Map<number, string>();
  #timer: NodeJS.Timeout | undefined;
  #notBefore = 0;

  /** `look` is called when it is time for `settleAll`. */
  constructor(results: Results, look: () => void) {
    this.#results = results;
    this.#look = look;
  }

  get any(): boolean {
    return this.#ids.size > 0;
  }

  add(call: number, id: string): void {
    let calls = this.#calls.get(id);
    if (calls === undefined) this.#calls.set(id, (calls = new Set()));
    calls.add(call);
    this.#ids.set(call, id);
  }

  remove(call: number): boolean {
    const id = this.#ids.get(call);
    if (id === undefined) return false;
    this.#ids.delete(call);
    const calls = this.#calls.get(id)!;
    calls.delete(call);
    if (calls.size === 0) this.#calls.delete(id);
    return true;
  }

  /** Another process has stored results: looks now, or soon if it has just looked. */
  heard(): void {
    if (!this.any || this.#timer !== undefined) return;
    const early = this.#notBefore - performance.now();
    if (early <= 0) return this.#look();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, Math.ceil(early));
  }

  /** Answers for those of the ids that are waited for and final. */
  settle(ids: readonly string[], time: number): Answer[] {
    const waited = ids.filter((id) => this.#calls.has(id));
    if (waited.length === 0) return [];
    const answers: Answer[] = [];
    for (const [id, row] of this.#results.fetchFinal(waited, time)) {
      for (const call of this.#calls.get(id) ?? []) {
        answers.push([call, row]);
        this.#ids.delete(call);
      }
      this.#calls.delete(id);
    }
    return answers;
  }

  settleAll(time: number): Answer[] {
    const start = performance.now();
    const answers = this.settle([...this.#calls.keys()], time);
    const end = performance.now();
    this.#notBefore = end + 4 * (end - start);
    return answers;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
