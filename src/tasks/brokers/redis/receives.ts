import { onAbort } from '../../../base/abort.ts';
import { cancelledBy } from '../../../base/deadline.ts';
import type { Deferred } from '../../../base/deferred.ts';
import { deferred } from '../../../base/deferred.ts';
import { persist } from '../../redis/persistence.ts';
import type { Bell } from './bell.ts';
import type { Claims } from './claims.ts';
import type { RedisDelivery } from './delivery.ts';

/** The calls of `receive`, served one after the other. */
export class Receives {
  readonly #claims: Claims;
  readonly #bell: Bell;
  readonly #patience: number;
  #calls: Receive[] = [];
  #serving: Promise<void> | undefined;
  #end: Error | undefined;
  #reported: Error | undefined;

  /** `patience`: seconds for which a server that is away is waited for. */
  constructor(claims: Claims, bell: Bell, patience: number) {
    this.#patience = patience;
    this.#claims = claims;
    this.#bell = bell;
  }

  /** Claims up to `max` messages as soon as there are any. */
  receive(max: number, signal: AbortSignal | undefined): Promise<RedisDelivery[]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const call: Receive = { max, signal, done: deferred(), asking: false };
    const forget = onAbort(signal, () => this.#abort(call));
    this.#calls.push(call);
    this.#serving ??= this.#serve();
    return call.done.promise.finally(forget);
  }

  /** Rejects what waits, and what is asked later. Resolves when nothing is being claimed any more. */
  async end(error: Error): Promise<void> {
    this.#end ??= error;
    for (const call of this.#calls.filter(({ asking }) => !asking)) this.#fail(call, this.#end);
    this.#bell.ring();
    await this.#serving;
  }

  /** Fails the next call that would wait or waits: it is to be known, and the one after may go on. */
  report(error: Error): void {
    this.#reported = error;
    this.#bell.ring();
  }

  // A call that is being served is left to it: what it has claimed by then is handed out.
  #abort(call: Receive): void {
    if (call.asking) return;
    this.#fail(call, cancelledBy(call.signal!));
    this.#bell.ring();
  }

  async #serve(): Promise<void> {
    for (let call = this.#calls[0]; call !== undefined; call = this.#calls[0]) {
      const nextDue = await this.#ask(call);
      if (nextDue !== undefined && this.#calls.length > 0) await this.#bell.wait(Math.max(0.001, nextDue));
    }
    this.#serving = undefined;
  }

  /** Claims for a call; tells how long it makes sense to wait if there was nothing. */
  async #ask(call: Receive): Promise<number | undefined> {
    call.asking = true;
    try {
      const { deliveries, nextDue } = await persist(this.#patience, () => this.#claims.take(call.max));
      call.asking = false;
      // On close everything of the consumer is given back, so that these need no care.
      if (this.#end !== undefined) this.#fail(call, this.#end);
      else if (deliveries.length > 0) this.#remove(call).resolve(deliveries);
      else if (call.signal?.aborted) this.#fail(call, cancelledBy(call.signal));
      else if (this.#reported !== undefined) {
        const error = this.#reported;
        this.#reported = undefined;
        this.#fail(call, error);
      } else return nextDue;
    } catch (error) {
      call.asking = false;
      this.#fail(call, this.#end ?? (call.signal?.aborted ? cancelledBy(call.signal) : (error as Error)));
    }
    return undefined;
  }

  #fail(call: Receive, error: Error): void {
    this.#remove(call).reject(error);
  }

  #remove(call: Receive): Deferred<RedisDelivery[]> {
    this.#calls = this.#calls.filter((one) => one !== call);
    return call.done;
  }
}

interface Receive {
  readonly max: number;
  readonly signal: AbortSignal | undefined;
  readonly done: Deferred<RedisDelivery[]>;
  /** A claim is on its way. */
  asking: boolean;
}
