import type { Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { messageOf } from '../base/error-text.ts';
import { uuid } from '../base/ids.ts';
import { pause } from '../base/pause.ts';
import type { Backend, StoredResult } from '../tasks/backend.ts';
import type { Broker, Consumer, Delivery, OutgoingMessage, ReleaseOptions } from '../tasks/broker.ts';
import { messageId } from '../tasks/message.ts';
import { errorDocument } from '../tasks/result-document.ts';
import type { Log } from './log.ts';
import { isPermanent, isRefusal } from './permanence.ts';

/** What is to be done with a delivery once its run is over, in this order: publish, store, settle. */
export interface Settlement {
  readonly delivery: Delivery;
  readonly publish?: readonly OutgoingMessage[];
  readonly store?: readonly StoredResult[];
  readonly settle:
    | { readonly how: 'acknowledge' }
    | { readonly how: 'none' }
    | ({ readonly how: 'release' } & ReleaseOptions)
    | { readonly how: 'quarantine'; readonly reason: string; readonly id: string | undefined };
  /** Told when it is written, or (false) that it never will be. */
  readonly written?: (done: boolean) => void;
}

/**
 * Writes how runs ended, in batches: whatever comes while one batch is being written goes into the next. The order
 * within a batch is what makes delivery at least once: a retry is published and a result stored before the message that
 * caused them is given up. A batch that cannot be written is tried again until it can.
 */
export class Settler {
  readonly #broker: Broker;
  readonly #backend: Backend | undefined;
  readonly #consumer: Consumer;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #giveUp: AbortSignal;
  readonly #retry: boolean;
  readonly #fail: (error: Error) => void;
  #pending: Settlement[] = [];
  #writing: Promise<void> | undefined;
  #unsettled = 0;
  #room = deferred();

  constructor(parts: {
    broker: Broker;
    backend: Backend | undefined;
    consumer: Consumer;
    log: Log;
    clock: Clock;
    /** Aborted when nothing is to be tried again any more. */
    giveUp: AbortSignal;
    /** Whether to try again what may heal. */
    retry: boolean;
    /** Told of an error that is not tried again. */
    fail(error: Error): void;
  }) {
    this.#broker = parts.broker;
    this.#backend = parts.backend;
    this.#consumer = parts.consumer;
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#giveUp = parts.giveUp;
    this.#retry = parts.retry;
    this.#fail = (error) => parts.fail(error);
  }

  add(settlement: Settlement): void {
    this.#pending.push(settlement);
    this.#unsettled++;
    // Runs that end in the same turn of the event loop go out together.
    this.#writing ??= Promise.resolve().then(() => this.#drain());
  }

  /** Resolves when fewer than `limit` ends wait to be written. */
  async below(limit: number): Promise<void> {
    while (this.#unsettled >= limit) await this.#room.promise;
  }

  /** Resolves when everything added so far is written, or given up. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      await this.#writeUntilDone(batch);
      this.#unsettled -= batch.length;
      this.#room.resolve();
      this.#room = deferred();
    }
    this.#writing = undefined;
  }

  async #writeUntilDone(batch: readonly Settlement[], from = 0): Promise<void> {
    // A batch that is written again after an outage must not send twice what its first try has sent.
    const token = uuid();
    const steps = [() => this.#publish(batch, token), () => this.#store(batch), () => this.#settle(batch)];
    let delay = 0.1;
    for (let step = from; step < steps.length;) {
      try {
        await steps[step]!();
        step++;
      } catch (error) {
        if (isRefusal(error)) return this.#writeApart(batch, step, error);
        if (isPermanent(error) || !this.#retry) this.#fail(error as Error);
        if (this.#giveUp.aborted) return tell(batch, false);
        this.#log.error(`cannot write the results of ${batch.length} tasks, trying again: ${messageOf(error)}`);
        await pause(delay, this.#giveUp, this.#clock);
        delay = Math.min(delay * 2, 5);
      }
    }
    tell(batch, true);
  }

  /** One end that no store takes must not hold up the others for ever: it is found, and set aside. */
  async #writeApart(batch: readonly Settlement[], step: number, error: unknown): Promise<void> {
    if (batch.length > 1) {
      for (const one of batch) await this.#writeUntilDone([one], step);
      return;
    }
    const [one] = batch;
    const replacement = setAside(one!, error);
    this.#log.error(`message ${idOf(one!.delivery) ?? 'without an id'} set aside: ${messageOf(error)}`);
    if (one!.settle.how !== 'quarantine') await this.#writeUntilDone([replacement]);
    tell(batch, false);
  }

  async #publish(batch: readonly Settlement[], token: string): Promise<void> {
    const messages: OutgoingMessage[] = [];
    for (const { publish } of batch) for (const message of publish ?? []) messages.push(message);
    if (messages.length > 0) await this.#broker.publish(messages, token);
  }

  async #store(batch: readonly Settlement[]): Promise<void> {
    const results: StoredResult[] = [];
    for (const { store } of batch) for (const result of store ?? []) results.push(result);
    if (results.length > 0) await this.#backend?.store(results);
  }

  async #settle(batch: readonly Settlement[]): Promise<void> {
    const done = batch.filter((one) => one.settle.how === 'acknowledge').map((one) => one.delivery);
    const back = batch.filter((one) => isPlainRelease(one)).map((one) => one.delivery);
    const work: Promise<unknown>[] = done.length > 0 ? [this.#consumer.acknowledge(done)] : [];
    if (back.length > 0) work.push(this.#consumer.release(back));
    for (const one of batch) {
      const { delivery, settle } = one;
      if (settle.how === 'release' && !isPlainRelease(one)) work.push(this.#consumer.release([delivery], settle));
      if (settle.how === 'quarantine') work.push(this.#consumer.quarantine(delivery, settle.reason, settle.id));
    }
    await Promise.all(work);
  }
}

function tell(batch: readonly Settlement[], done: boolean): void {
  for (const { written } of batch) written?.(done);
}

function isPlainRelease({ settle }: Settlement): boolean {
  return settle.how === 'release' && settle.due === undefined && settle.attempted !== true && settle.last !== true;
}

function setAside({ delivery }: Settlement, error: unknown): Settlement {
  const id = idOf(delivery);
  const reason = `how it ended cannot be written: ${messageOf(error)}`;
  const failure = (owner: string) => errorDocument({ id: owner }, 'FAILURE', new Error(reason, { cause: error }));
  const store = id === undefined ? [] : [{ id, state: 'FAILURE', document: failure(id) }];
  return { delivery, store, settle: { how: 'quarantine', reason, id } };
}

function idOf(delivery: Delivery): string | undefined {
  try {
    return messageId(delivery.envelope());
  } catch {
    return undefined;
  }
}
