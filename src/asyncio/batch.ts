/** One thing to run: a task's first step, a callback, a wake-up. `run` must not throw. */
export interface Step {
  run(): void;
}

/**
 * Steps that run together, in order, when the one drain asked for comes; those added meanwhile wait for the next. With
 * a `portion`, very many go in portions, with the promise reactions of each in between.
 */
export class Batch {
  #added: Step[] = [];
  #running: Step[] = [];
  #next = 0;
  #scheduled = false;
  readonly #schedule: (drain: () => void) => void;
  readonly #portion: number;

  constructor(schedule: (drain: () => void) => void, portion = Infinity) {
    this.#schedule = schedule;
    this.#portion = portion;
  }

  add(step: Step): void {
    this.#added.push(step);
    this.#request();
  }

  /** Drops what was added, and the drain that was asked for. */
  forget(): void {
    this.#added = [];
    this.#running = [];
    this.#scheduled = false;
  }

  #request(): void {
    if (this.#scheduled || this.#added.length === 0) return;
    this.#scheduled = true;
    this.#schedule(this.#drain);
  }

  readonly #drain = (): void => {
    this.#running = this.#added;
    this.#added = [];
    this.#next = 0;
    this.#runPortion();
  };

  readonly #runPortion = (): void => {
    const until = Math.min(this.#next + this.#portion, this.#running.length);
    while (this.#next < until) this.#running[this.#next++]!.run();
    if (this.#next < this.#running.length) {
      void resolved.then(this.#runPortion);
      return;
    }
    this.#running = [];
    this.#scheduled = false;
    this.#request();
  };
}

const resolved = Promise.resolve();
