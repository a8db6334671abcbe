import type { Step } from '../asyncio/batch.ts';
import type { Scheduler } from '../asyncio/kernel.ts';
import { seeded } from '../base/virtual-clock.ts';

/**
 * Runs what is ready (task starts, callbacks, wake-ups) one at a time, each to its next wait, in an order drawn from a
 * seed. The same seed gives the same order.
 */
export class SeededScheduler implements Scheduler {
  readonly #random: () => number;
  readonly #ready: Step[] = [];
  #armed = false;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  add(step: Step): void {
    this.#ready.push(step);
    this.#arm();
  }

  // A tick asked for in a promise reaction comes when no reaction is left: what the last step woke has then run as far
  // as it could. Asked for in a tick it would come before the reactions.
  #arm(): void {
    if (this.#armed || this.#ready.length === 0) return;
    this.#armed = true;
    void resolved.then(() => process.nextTick(() => this.#turn()));
  }

  #turn(): void {
    this.#armed = false;
    const index = Math.floor(this.#random() * this.#ready.length);
    const step = this.#ready[index]!;
    const last = this.#ready.pop()!;
    if (last !== step) this.#ready[index] = last;
    step.run();
    this.#arm();
  }
}

const resolved = Promise.resolve();
