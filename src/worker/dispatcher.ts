import type { Clock } from '../base/clock.ts';
import type { Simul } from '../tasks/app.ts';
import type { Backend, StoredResult } from '../tasks/backend.ts';
import type { Delivery } from '../tasks/broker.ts';
import type { Envelope } from '../tasks/envelope.ts';
import { TaskRevokedError, WorkerLostError } from '../tasks/errors.ts';
import type { MessageHead } from '../tasks/message.ts';
import { errorDocument, storedState } from '../tasks/result-document.ts';
import type { PoolName } from '../tasks/task.ts';
import type { Continuation } from './continuation.ts';
import type { Opened } from './opening.ts';
import { openDelivery } from './opening.ts';
import type { Job, Outcome } from './job.ts';
import type { Log } from './log.ts';
import type { WorkerSettings } from './options.ts';
import type { Ending, Run } from './pool.ts';
import type { RevokedIds } from './revoked.ts';
import type { Settlement } from './settler.ts';

/** A task under way. */
export interface Active {
  readonly id: string;
  readonly task: string;
  readonly since: number;
  readonly envelope: Envelope;
  readonly delivery: Delivery;
  /** Since when (seconds on the worker's monotonic clock) it runs; undefined while it waits for a slot. */
  readonly begun: number | undefined;
  /** The message is gone already: it was acknowledged before the run. */
  readonly acknowledged: boolean;
  /** Tells the run to stop; its result is REVOKED already, and stays so unless it succeeds all the same. */
  terminate(): void;
}

/** A task that was given back until it is due. */
export interface Postponed {
  readonly id: string;
  readonly envelope: Envelope;
  readonly delivery: Delivery;
  /** Seconds since the UNIX epoch. */
  readonly due: number;
}

const remembered = 1000;

export interface DispatcherParts {
  readonly app: Simul;
  readonly backend: Backend | undefined;
  readonly settings: WorkerSettings;
  readonly log: Log;
  readonly clock: Clock;
  readonly mostUrgent: 0 | 9;
  readonly revoked: RevokedIds;
  run(pool: PoolName, job: Job, delivery: Delivery, ending: Ending): Run;
  settle(settlement: Settlement): void;
  /** A delivery has left its slot. */
  done(): void;
}

/** Decides what becomes of each delivery: set aside, put off, dropped as revoked or expired, or run. */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #active = new Map<Delivery, ActiveRun>();
  readonly #postponed = new Map<string, Postponed>();
  /** How many tasks of each name were begun. */
  readonly totals = new Map<string, number>();
  #abandoned = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** The tasks under way. */
  get active(): Iterable<Active> {
    return this.#active.values();
  }

  /** Tasks that this worker gave back and that are not due yet: the latest thousand. */
  get postponed(): Postponed[] {
    const now = this.#parts.clock.time();
    for (const { id, due } of this.#postponed.values()) if (due <= now) this.#postponed.delete(id);
    return [...this.#postponed.values()];
  }

  /**
   * Tells every run to stop and forgets how it ends, unless it succeeds: the messages are to go back to their queues.
   * Returns the ids.
   */
  abandon(reason: Error): string[] {
    this.#abandoned = true;
    const left = [...this.#active.values()];
    for (const run of left) run.abort(reason);
    return left.map((run) => run.id);
  }

  async dispatch(deliveries: readonly Delivery[]): Promise<void> {
    const stored = deliveries.map((delivery) => delivery.stored);
    if (stored.includes(undefined)) return this.#dispatchLookedUp(deliveries);
    // One after the other, so that nothing that is read of a message outlives its run.
    for (const [i, delivery] of deliveries.entries()) this.#dispatchOne(openDelivery(delivery), stored[i]);
  }

  /** What is stored of a task tells that it was revoked, or done before a crash: one query, where no broker has looked. */
  async #dispatchLookedUp(deliveries: readonly Delivery[]): Promise<void> {
    const opened = deliveries.map((delivery) => openDelivery(delivery));
    const ids = opened.flatMap(({ head }) => (head === undefined ? [] : [head.id]));
    const stored = ids.length === 0 ? [] : ((await this.#parts.backend?.fetch(ids)) ?? []);
    const documents = new Map(stored.map((result, i) => [ids[i]!, result?.document]));
    for (const one of opened) this.#dispatchOne(one, one.head && documents.get(one.head.id));
  }

  #dispatchOne(opened: Opened, document: string | null | undefined): void {
    const { delivery, head } = opened;
    if (head === undefined) return this.#setAside(delivery, opened.id, opened.reason);
    const now = this.#parts.clock.time();
    const end = typeof document === 'string' ? storedState(document) : undefined;
    // Stored again: until now the mark had to last for as long as the message.
    if (end === 'REVOKED')
      return this.#drop(delivery, head, 'it was revoked', { id: head.id, state: end, document: document! });
    if (this.#parts.revoked.has(head.id)) return this.#revoke(delivery, head, 'revoked');
    if (end === 'SUCCESS' && delivery.redelivered) return this.#drop(delivery, head, 'it was done before');
    if (head.expires !== undefined && head.expires.getTime() / 1000 < now)
      return this.#revoke(delivery, head, 'expired');
    if (delivery.deliveries > this.#parts.settings.maxDeliveries) return this.#poison(delivery, head);
    if (head.eta !== undefined && head.eta.getTime() / 1000 > now) {
      return this.#postpone(delivery, opened.envelope, head.id, head.eta.getTime() / 1000);
    }
    this.#run(delivery, opened.envelope, head);
  }

  #run(delivery: Delivery, envelope: Envelope, head: MessageHead): void {
    const { app, settings, log, clock, mostUrgent } = this.#parts;
    const options = app.tasks.get(head.task)?.options;
    const early = options?.acksLate === false;
    if (log.enabled('info')) log.info(`Task ${head.task}[${head.id}] received`);
    const priority = priorityOf(envelope, mostUrgent);
    const job: Job = { envelope, hostname: settings.hostname, redelivered: delivery.redelivered, priority };
    const since = clock.now();
    this.totals.set(head.task, (this.totals.get(head.task) ?? 0) + 1);
    const active = new ActiveRun(this, head, job, delivery, since, early);
    const pool = options?.pool ?? settings.pool;
    if (early) this.#acknowledgeFirst(active, pool);
    else this.#start(active, pool);
  }

  #start(active: ActiveRun, pool: PoolName): void {
    const run = this.#parts.run(pool, active.job, active.delivery, active);
    if (active.over) return;
    active.run = run;
    this.#active.set(active.delivery, active);
  }

  // Should the worker die of the task, or beside it, its message must be gone by then.
  #acknowledgeFirst(active: ActiveRun, pool: PoolName): void {
    const { delivery } = active;
    this.#active.set(delivery, active);
    const written = (done: boolean) => {
      if (done && !active.revoked && !this.#abandoned) this.#start(active, pool);
      else active.ended({ kind: 'lost', reason: done ? 'told to stop' : 'its message could not be acknowledged' });
    };
    this.#parts.settle({ delivery, settle: acknowledged, written });
  }

  /** @internal */
  ended(active: ActiveRun, outcome: Outcome): void {
    this.#active.delete(active.delivery);
    this.#ended(active, outcome);
  }

  #ended(active: ActiveRun, outcome: Outcome): void {
    const { head, job, delivery, acknowledged: early } = active;
    if (outcome.kind !== 'success' && active.revoked) {
      const document = errorDocument({ id: head.id }, 'REVOKED', new TaskRevokedError('terminated'));
      return this.#drop(delivery, head, 'it was terminated', { id: head.id, state: 'REVOKED', document });
    }
    if (outcome.kind !== 'success' && this.#abandoned) return this.#parts.done();
    this.#report(head, outcome, active);
    if ('next' in outcome) this.#warn(head, outcome.next?.left ?? []);
    const ignored = head.ignoreResult ?? this.#parts.app.tasks.get(head.task)?.options.ignoreResult ?? false;
    const keep = !ignored;
    const settlement = settlementOf(delivery, head, job, outcome, keep, this.#parts.mostUrgent);
    this.#finish(
      early && settlement.settle.how !== 'quarantine' ? { ...settlement, settle: { how: 'none' } } : settlement,
    );
  }

  #report(head: MessageHead, outcome: Outcome, active: Active): void {
    const { log, clock } = this.#parts;
    if (outcome.kind === 'success' && !log.enabled('info')) return;
    const name = `Task ${head.task}[${head.id}]`;
    if (outcome.kind === 'success') log.info(`${name} succeeded in ${(clock.now() - active.since).toFixed(3)}s`);
    else if (outcome.kind === 'failure') log.error(`${name} failed: ${outcome.error}`);
    else if (outcome.kind === 'retry') log.info(`${name} will be tried again: ${outcome.error}`);
    else if (outcome.kind === 'malformed') log.error(`${name} set aside: ${outcome.reason}`);
    else if (outcome.kind === 'lost') log.error(`${name} lost, back to its queue: ${outcome.reason}`);
    else if (outcome.kind === 'reject') log.warn(`${name} rejected: ${outcome.reason}`);
    else log.info(`${name} ignored`);
  }

  #warn(head: MessageHead, left: readonly string[]): void {
    for (const what of left)
      this.#parts.log.warn(`Task ${head.task}[${head.id}]: this worker does not carry on ${what}`);
  }

  #setAside(delivery: Delivery, id: string | undefined, reason: string): void {
    this.#parts.log.error(`message ${id ?? 'without an id'} set aside: ${reason}`);
    const failure = id === undefined ? {} : { store: [failureOf(id, new Error(reason))] };
    this.#finish({ delivery, ...failure, settle: { how: 'quarantine', reason, id } });
  }

  #poison(delivery: Delivery, head: MessageHead): void {
    const reason = `its worker died or lost it ${delivery.deliveries - 1} times`;
    this.#parts.log.error(`Task ${head.task}[${head.id}] set aside: ${reason}`);
    const store = [failureOf(head.id, new WorkerLostError(reason))];
    this.#finish({ delivery, store, settle: { how: 'quarantine', reason, id: head.id } });
  }

  #postpone(delivery: Delivery, envelope: Envelope, id: string, due: number): void {
    this.#postponed.set(id, { id, envelope, delivery, due });
    if (this.#postponed.size > remembered) this.#postponed.delete(this.#postponed.keys().next().value!);
    this.#finish({ delivery, settle: { how: 'release', due } });
  }

  #revoke(delivery: Delivery, head: MessageHead, why: 'revoked' | 'expired'): void {
    const document = errorDocument({ id: head.id }, 'REVOKED', new TaskRevokedError(why));
    this.#parts.log.warn(`Task ${head.task}[${head.id}] ${why === 'expired' ? 'has expired' : 'was revoked'}`);
    this.#finish({ delivery, store: [{ id: head.id, state: 'REVOKED', document }], settle: { how: 'acknowledge' } });
  }

  #drop(delivery: Delivery, head: MessageHead, why: string, result?: StoredResult): void {
    this.#parts.log.info(`Task ${head.task}[${head.id}] dropped: ${why}`);
    const store = result === undefined ? {} : { store: [result] };
    this.#finish({ delivery, ...store, settle: { how: 'acknowledge' } });
  }

  #finish(settlement: Settlement): void {
    this.#parts.settle(settlement);
    this.#parts.done();
  }
}

class ActiveRun implements Active, Ending {
  readonly head: MessageHead;
  readonly job: Job;
  readonly delivery: Delivery;
  readonly since: number;
  readonly acknowledged: boolean;
  readonly #dispatcher: Dispatcher;
  /** Undefined while it is being started. */
  run: Run | undefined = undefined;
  over = false;
  revoked = false;

  constructor(
    dispatcher: Dispatcher,
    head: MessageHead,
    job: Job,
    delivery: Delivery,
    since: number,
    acknowledged: boolean,
  ) {
    this.#dispatcher = dispatcher;
    this.head = head;
    this.job = job;
    this.delivery = delivery;
    this.since = since;
    this.acknowledged = acknowledged;
  }

  ended(outcome: Outcome): void {
    if (this.over) return;
    this.over = true;
    this.#dispatcher.ended(this, outcome);
  }

  get id(): string {
    return this.head.id;
  }

  get task(): string {
    return this.head.task;
  }

  get envelope(): Envelope {
    return this.job.envelope;
  }

  get begun(): number | undefined {
    return this.run?.begun;
  }

  abort(reason: Error): void {
    this.run?.abort(reason);
  }

  terminate(): void {
    this.revoked = true;
    this.run?.abort(new TaskRevokedError('terminated'));
  }
}

const acknowledged = { how: 'acknowledge' } as const;

function settlementOf(
  delivery: Delivery,
  head: MessageHead,
  job: Job,
  outcome: Outcome,
  keep: boolean,
  urgent: 0 | 9,
): Settlement {
  const id = head.id;
  switch (outcome.kind) {
    case 'success':
      return ending(delivery, outcome, keep ? [{ id, state: 'SUCCESS', document: outcome.document }] : [], urgent);
    case 'failure':
      return ending(delivery, outcome, keep ? [{ id, state: 'FAILURE', document: outcome.document }] : [], urgent);
    case 'retry':
      return {
        delivery,
        settle: acknowledged,
        publish: [{ queue: delivery.queue, envelope: outcome.envelope, priority: job.priority, due: outcome.due }],
        ...(keep ? { store: [{ id, state: 'RETRY', document: outcome.document }] } : {}),
      };
    case 'malformed':
      return {
        delivery,
        store: [{ id, state: 'FAILURE', document: outcome.document }],
        settle: { how: 'quarantine', reason: outcome.reason, id },
      };
    case 'reject':
      // As Celery on Redis: what rejects itself until something changes must not stand in the way of all the others.
      return outcome.requeue
        ? { delivery, settle: { how: 'release', last: true } }
        : { delivery, settle: acknowledged };
    case 'lost':
      return { delivery, settle: { how: 'release', attempted: true } };
    case 'ignore':
      return { delivery, settle: acknowledged };
  }
}

/** What is sent and stored at the end of a task, the tasks after it included. */
function ending(
  delivery: Delivery,
  outcome: { readonly next?: Continuation | undefined },
  results: readonly StoredResult[],
  urgent: 0 | 9,
): Settlement {
  const { next } = outcome;
  if (next === undefined) return { delivery, store: results, settle: acknowledged };
  const publish = next.calls.map((envelope) => ({
    queue: envelope.properties.delivery_info.routing_key,
    envelope,
    priority: priorityOf(envelope, urgent),
    due: dueOf(envelope),
  }));
  return { delivery, publish, store: [...results, ...next.results], settle: acknowledged };
}

/** 9 first, whatever the scale of the wire; what is not on the scale counts as none. */
function priorityOf({ properties: { priority } }: Envelope, urgent: 0 | 9): number | undefined {
  if (typeof priority !== 'number' || !Number.isInteger(priority) || priority < 0 || priority > 9) return undefined;
  return urgent === 9 ? priority : 9 - priority;
}

function dueOf({ headers: { eta } }: Envelope): number | undefined {
  return typeof eta === 'string' ? Date.parse(eta) / 1000 : undefined;
}

function failureOf(id: string, error: Error): StoredResult {
  return { id, state: 'FAILURE', document: errorDocument({ id }, 'FAILURE', error) };
}
