/** One thing to run: a task's first step, a callback, a wake-up. `run` must not throw. */
export interface Step {
  run(): void;
}

/** Steps that run together, in order, when the one drain asked for comes; those added meanwhile wait for the next. */
export class Batch {
  #steps: Step[] = [];
  readonly #schedule: (drain: () => void) => void;

  constructor(schedule: (drain: () => void) => void) {
    this.#schedule = schedule;
  }

  add(step: Step): void {
    if (this.#steps.push(step) === 1) this.#schedule(this.#drain);
  }

  readonly #drain = (): void => {
    const steps = this.#steps;
    this.#steps = [];
    for (const step of steps) step.run();
  };
}
