import type { Consumers } from './consumers.ts';
import type { Messages } from './messages.ts';
import type { ClaimedRow } from './protocol.ts';

/** The calls of `receive` that wait, the longest waiting first. */
export class Receives {
  readonly #messages: Messages;
  readonly #consumers: Consumers;
  readonly #waiting = new Map<number, { consumer: number; max: number }>();

  constructor(messages: Messages, consumers: Consumers) {
    this.#messages = messages;
    this.#consumers = consumers;
  }

  get any(): boolean {
    return this.#waiting.size > 0;
  }

  add(call: number, request: { consumer: number; max: number }): void {
    this.#waiting.set(call, request);
  }

  remove(call: number): boolean {
    return this.#waiting.delete(call);
  }

  /** Removes and names all. */
  drain(): number[] {
    const calls = [...this.#waiting.keys()];
    this.#waiting.clear();
    return calls;
  }

  /** Whether a transaction would find something; spares an idle database the writing. */
  isServable(time: number): boolean {
    const queues = new Set<string>();
    for (const { consumer } of this.#waiting.values()) {
      const local = this.#consumers.get(consumer);
      if (local !== undefined && !local.stalled) for (const queue of local.request.queues) queues.add(queue);
    }
    if (queues.size === 0) return false;
    return this.#messages.hasReady([...queues]) || (this.#messages.nextDue() ?? Infinity) <= time;
  }

  /** Claims for those who wait; in a write transaction. The caller removes the served ones once it is committed. */
  serve(time: number): [number, ClaimedRow[]][] {
    const served: [number, ClaimedRow[]][] = [];
    for (const [call, { consumer, max }] of this.#waiting) {
      const local = this.#consumers.get(consumer);
      // What a blocked thread claims, nobody works on.
      if (local === undefined || local.stalled) continue;
      if (!this.#messages.hasReady(local.request.queues)) continue;
      const number = this.#consumers.nextClaim(local, time);
      const claim = { consumer, number, begun: !local.request.begins };
      const rows = this.#messages.claim(claim, local.request.queues, max);
      if (rows.length > 0) served.push([call, rows]);
    }
    return served;
  }
}
