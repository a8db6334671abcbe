import type { Answer } from './protocol.ts';
import type { ResultMark, Results } from './results.ts';

/** As many as are looked for one by one: cheaper than to ask what is new, and whoever is alone waits least. */
const few = 100;

/**
 * Those who wait for results, by the task's id. However many they are, a ring of the bell is one query, of what was stored
 * since the last one, and the queries take a fifth of the thread's time at most.
 */
export class Waits {
  readonly #results: Results;
  readonly #look: () => void;
  readonly #calls = new Map<string, Set<number>>();
  readonly #ids = new Map<number, string>();
  #timer: NodeJS.Timeout | undefined;
  #notBefore = 0;
  /** All that wait have been looked for among what was stored up to here. */
  #seen: ResultMark | undefined;

  /** `look` is called when it is time for `settleNew`. */
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

  /** Answers for what was stored since the last look. */
  settleNew(time: number): Answer[] {
    return this.#timed(() => {
      if (this.#calls.size <= few || this.#seen === undefined) return this.#settleAll(time);
      const newest = this.#results.newest();
      const ids = this.#results.since(this.#seen);
      if (ids === undefined) return this.#settleAll(time);
      this.#seen = newest;
      return this.settle(ids, time);
    });
  }

  /** Answers for all that is final, whenever it was stored. */
  settleAll(time: number): Answer[] {
    return this.#timed(() => this.#settleAll(time));
  }

  #settleAll(time: number): Answer[] {
    // First the mark: what is stored between the two queries is then looked at twice, and not never.
    this.#seen = this.#calls.size <= few ? undefined : this.#results.newest();
    return this.settle([...this.#calls.keys()], time);
  }

  #timed(look: () => Answer[]): Answer[] {
    const start = performance.now();
    const answers = look();
    const end = performance.now();
    this.#notBefore = end + 4 * (end - start);
    return answers;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
