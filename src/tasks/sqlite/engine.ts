import { join } from 'node:path';
import { Bell } from './bell.ts';
import { Consumers } from './consumers.ts';
import type { Durability } from './database.ts';
import { Database } from './database.ts';
import { toFailure } from './failure.ts';
import { Messages } from './messages.ts';
import type { Answer, CallMessage, ClaimedRow, ThreadData } from './protocol.ts';
import { Receives } from './receives.ts';
import { Results } from './results.ts';
import { Waits } from './waits.ts';
import type { WriteCall } from './writes.ts';
import { durabilityOf, isWrite, Writes } from './writes.ts';

/** Seconds between looks for abandoned files. */
const sweepInterval = 60;
/** Milliseconds of a tick that may go into deleting expired results. */
const sweepBudget = 50;

/**
 * The work of SQLite's thread: everything that has arrived is one transaction (group commit), in which waiting receives
 * are served too. Synchronous throughout; `send` takes the answers of each step together.
 */
export class Engine {
  readonly #db: Database;
  readonly #messages: Messages;
  readonly #results: Results;
  readonly #consumers: Consumers;
  readonly #writes: Writes;
  readonly #receives: Receives;
  readonly #waits: Waits;
  readonly #messageBell: Bell;
  readonly #resultBell: Bell;
  readonly #send: (answers: Answer[]) => void;
  #answers: Answer[] = [];
  #dueTimer: NodeJS.Timeout | undefined;
  #tickTimer: NodeJS.Timeout | undefined;
  #lastSweep = 0;
  #deaf = false;

  constructor({ path, locks }: ThreadData, send: (answers: Answer[]) => void) {
    this.#send = send;
    this.#db = new Database(path, locks);
    this.#messages = new Messages(this.#db);
    this.#results = new Results(this.#db);
    this.#consumers = new Consumers(this.#db, this.#messages, locks);
    this.#writes = new Writes(this.#messages, this.#results, this.#consumers);
    this.#receives = new Receives(this.#messages, this.#consumers);
    this.#waits = new Waits(this.#results, () => this.#step(() => this.#answer(this.#waits.settleNew(now()))));
    this.#messageBell = new Bell(join(locks, 'messages.bell'));
    this.#resultBell = new Bell(join(locks, 'results.bell'));
    this.#schedule();
  }

  get library(): string {
    return `${this.#db.library.name} ${this.#db.library.version}`;
  }

  /** Throws if the file was removed, and has released everything then. */
  handle(calls: readonly CallMessage[]): void {
    this.#checkFile();
    const failed = (error: unknown) => this.#fail(calls, error);
    this.#step(() => {
      const writes = calls.filter(isWrite);
      for (const call of calls) this.#register(call);
      if (writes.length > 0 || this.#receives.any) this.#commit(writes);
      for (const call of calls) this.#read(call);
      this.#readWaits(calls.filter((call) => call[1] === 'wait'));
      if (writes.length > 0) this.#db.checkpoint();
      // A new consumer may want to be renewed sooner than the next tick was to come.
      if (writes.some(([, name]) => name === 'consume')) this.#schedule();
    }, failed);
  }

  close(): void {
    clearTimeout(this.#tickTimer);
    clearTimeout(this.#dueTimer);
    this.#waits.close();
    this.#messageBell.close();
    this.#resultBell.close();
    try {
      this.#consumers.close();
    } finally {
      this.#db.close();
    }
  }

  // Runs something that gives answers and sends them together. Nothing may escape: it would end the thread. What fails
  // without a call to tell it to (the database is locked, the disk full) is tried again by the next tick.
  #step(fn: () => void, failed: (error: unknown) => void = () => {}): void {
    try {
      fn();
    } catch (error) {
      failed(error);
    }
    const answers = this.#answers;
    this.#answers = [];
    if (answers.length > 0) this.#send(answers);
  }

  // A call that has been answered already is not answered again: the other end knows it no more.
  #fail(calls: readonly CallMessage[], error: unknown): void {
    const failure = toFailure(error);
    for (const [call] of calls) {
      this.#receives.remove(call);
      this.#waits.remove(call);
      this.#answers.push([call, undefined, failure]);
    }
  }

  // One by one: as arguments of one call, a hundred thousand would overflow the stack.
  #answer(answers: readonly Answer[]): void {
    for (const answer of answers) this.#answers.push(answer);
  }

  #register(call: CallMessage): void {
    switch (call[1]) {
      case 'receive':
        this.#listenForMessages();
        return this.#receives.add(call[0], call[2]);
      case 'wait':
        this.#listenForResults();
        return this.#waits.add(call[0], call[2].id);
      case 'cancel':
        if (this.#receives.remove(call[2].call) || this.#waits.remove(call[2].call)) {
          this.#answers.push([call[2].call, undefined]);
        }
        return undefined;
      default:
        return undefined;
    }
  }

  #commit(writes: readonly WriteCall[]): void {
    const receives = this.#receives.any && (writes.length > 0 || this.#receives.isServable(now()));
    if (writes.length === 0 && !receives) return this.#armDueTimer();
    try {
      this.#transact(writes, receives);
    } catch (error) {
      this.#retryApart(writes, receives, error);
    }
    this.#armDueTimer();
  }

  #transact(writes: readonly WriteCall[], receives: boolean): void {
    const time = now();
    let claimed: [number, ClaimedRow[]][] = [];
    const { answers, news } = this.#write(durabilityOf(writes), () => {
      const done = this.#writes.run(writes, time);
      if (receives) {
        if (this.#messages.promote(time)) done.news.messages = true;
        claimed = this.#receives.serve(time);
      }
      return done;
    });
    for (const [call] of claimed) this.#receives.remove(call);
    this.#answer(answers);
    this.#answer(claimed);
    if (news.messages) this.#messageBell.ring();
    if (news.results.length > 0) {
      this.#resultBell.ring();
      this.#answer(this.#waits.settle(news.results, time));
    }
  }

  #write<T>(durability: Durability, fn: () => T): T {
    try {
      const result = this.#db.write(durability, fn);
      this.#consumers.committed();
      return result;
    } catch (error) {
      this.#consumers.rolledBack();
      throw error;
    }
  }

  // One call that cannot be done must not fail its neighbours in the transaction.
  #retryApart(writes: readonly WriteCall[], receives: boolean, error: unknown): void {
    if (writes.length + Number(receives) > 1 && !isLocked(error)) {
      for (const write of writes) this.#attempt([write], false);
      if (receives) this.#attempt([], true);
      return;
    }
    const failure = toFailure(error);
    for (const [call, name, argument] of writes) {
      this.#answers.push([call, undefined, failure]);
      if (name === 'leave') this.#consumers.abandon(argument.consumer);
    }
    if (receives) for (const call of this.#receives.drain()) this.#answers.push([call, undefined, failure]);
  }

  #attempt(writes: readonly WriteCall[], receives: boolean): void {
    try {
      this.#transact(writes, receives);
    } catch (error) {
      this.#retryApart(writes, receives, error);
    }
  }

  #read(call: CallMessage): void {
    try {
      const answer = this.#readValue(call);
      if (answer !== undefined) this.#answers.push([call[0], answer]);
    } catch (error) {
      this.#answers.push([call[0], undefined, toFailure(error)]);
    }
  }

  #readValue(call: CallMessage): unknown {
    switch (call[1]) {
      case 'sizes':
        return this.#messages.sizes(call[2].queues);
      case 'quarantined':
        return this.#messages.quarantined(call[2].limit);
      case 'fetch': {
        const found = this.#results.fetch(call[2].ids, now());
        return call[2].ids.map((id) => found.get(id));
      }
      default:
        return undefined;
    }
  }

  // Thousands at a time where a program waits for all it has sent: one query.
  #readWaits(calls: readonly WaitCall[]): void {
    if (calls.length === 0) return;
    try {
      const ids = calls.map((call) => call[2].id);
      this.#answer(this.#waits.settle(ids, now()));
    } catch (error) {
      this.#fail(calls, error);
    }
  }

  #listenForMessages(): void {
    const heard = this.#messageBell.listen(() => {
      if (this.#receives.any) this.#step(() => this.#commit([]));
    });
    this.#deaf ||= !heard;
  }

  #listenForResults(): void {
    const heard = this.#resultBell.listen(() => this.#waits.heard());
    this.#deaf ||= !heard;
  }

  #armDueTimer(): void {
    clearTimeout(this.#dueTimer);
    if (!this.#receives.any) return;
    const due = this.#messages.nextDue();
    if (due === undefined) return;
    // At least a millisecond: a timer may fire a fraction too early. The tick looks anyway, so a day is far enough.
    const delay = Math.min(Math.max(1, Math.ceil((due - now()) * 1000)), 86_400_000);
    this.#dueTimer = setTimeout(() => this.#step(() => this.#commit([])), delay);
  }

  #schedule(): void {
    clearTimeout(this.#tickTimer);
    this.#tickTimer = setTimeout(() => {
      this.#checkFile();
      this.#step(() => this.#tick());
      this.#schedule();
    }, this.#interval * 1000);
  }

  // SQLite would go on with the removed file for ever. Locks and watches belong to the process, not to this thread.
  #checkFile(): void {
    if (!this.#db.isRemoved) return;
    try {
      this.close();
    } catch {
      // Nothing of it is worth saving.
    }
    throw new Error('its file was removed or replaced while it was in use; start this program again');
  }

  #sweepResults(time: number): void {
    const end = performance.now() + sweepBudget;
    while (performance.now() < end && this.#results.hasExpired(time)) {
      this.#db.write('normal', () => this.#results.sweep(time));
    }
  }

  // Where the system has no watches left, what others do is looked for often enough to be bearable.
  get #interval(): number {
    return this.#deaf ? Math.min(0.05, this.#consumers.interval) : this.#consumers.interval;
  }

  #tick(): void {
    const time = now();
    if (this.#consumers.any && this.#consumers.maintain(time)) this.#messageBell.ring();
    if (this.#receives.any) this.#commit([]);
    if (this.#waits.any) this.#answer(this.#waits.settleAll(now()));
    this.#sweepResults(time);
    this.#db.checkpoint();
    if (time - this.#lastSweep < sweepInterval) return;
    this.#lastSweep = time;
    this.#consumers.sweepFiles();
  }
}

type WaitCall = Extract<CallMessage, readonly [number, 'wait', unknown]>;

/** Waited for long enough already: each further try would wait as long. */
function isLocked(error: unknown): boolean {
  const { sqlite, name } = toFailure(error);
  return sqlite === 5 || sqlite === 6 || name === 'TimeoutError';
}

function now(): number {
  return Date.now() / 1000;
}
