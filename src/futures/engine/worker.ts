import { Deque } from '../../base/deque.ts';
import { prepare } from '../channel/codec.ts';
import {
  ATTEND,
  AWAKE,
  BUSY,
  DEFINE,
  DONE,
  ENGINE_ASLEEP,
  IN_LOOP,
  TIMED,
  WORKER_BELL,
  WORKER_STATE,
} from '../channel/layout.ts';
import { ResultReader } from '../channel/result-ring.ts';
import { TaskRing } from '../channel/task-ring.ts';
import type { Definition, Job, Place } from './job.ts';
import { OVER, SENT } from './job.ts';
import { priorityOf } from './backlog.ts';
import type { Link } from './link.ts';
import { keepBytes, preparePayload } from './payload.ts';

// Microseconds of work that a worker is given ahead, and most calls.
const aheadMicros = 2000;
const mostAhead = 512;

/** One worker as the engine sees it: what it has been given, what it has answered. */
export class Worker implements Place {
  readonly link: Link;
  readonly results: ResultReader;
  state: 'starting' | 'ready' | 'leaving' | 'gone' = 'starting';
  /** Calls it has and has not answered. */
  inFlight = 0;
  /** Calls it may still be given before it is replaced. */
  quota: number;
  /** Calls it may have that it has not begun. */
  ahead = 4;
  /** When it last answered, or got something after having nothing (ms). */
  progress = 0;
  /** Since when it has nothing to do (ms). */
  idleSince = 0;
  /** No call it has and has not begun is of a lower priority. */
  lowest = Infinity;
  /** Calls written since it was last looked at whether it sleeps. */
  unsignalled = 0;
  /** Why it was killed, if this engine did it. */
  killed: Error | undefined;
  outOfMemory = false;
  /** When its memory was last looked at (ms). */
  weighed = 0;
  /** Settles when it has loaded what it needs, its initializer included. */
  loading: Promise<void> | undefined;
  /** It is being killed. */
  doomed = false;
  killTimer: NodeJS.Timeout | undefined;
  /** Calls sent by message. */
  readonly hosted = new Set<Job>();
  /** Items of streams that are to come by message. */
  readonly late = new Set<{ readonly job: Job; readonly reject: (error: Error) => void }>();
  /** Seconds its calls took, on average. */
  average = 0;
  /** Milliseconds spent in calls. */
  busy = 0;
  readonly #tasks: TaskRing;
  readonly #order = new Deque<Job>();
  readonly #defined: boolean[] = [];
  /** Where the last definition lies, while the worker may not have read it. */
  #lastDefined: number | undefined;
  #done = 0;
  #busy = 0;

  constructor(link: Link, quota: number) {
    this.link = link;
    this.quota = quota;
    this.results = new ResultReader(link.memory);
    this.#tasks = new TaskRing(link.memory);
  }

  /** Writes a job into its ring; false if it does not fit, or (then `byMessage` is set) cannot be written. */
  send(job: Job, id: number): boolean {
    const { definition } = job;
    if (this.#defined[definition.number] !== true && !this.#define(job, definition)) return false;
    if (!preparePayload(job)) {
      job.byMessage = true;
      return false;
    }
    const timed = job.limits?.timeout === undefined ? 0 : TIMED;
    const at = this.#tasks.write(id, (job.definition.number << 8) | ((job.mode | timed) << 4));
    if (at < 0) return false;
    job.at = at;
    this.#order.push(job);
    this.count(job);
    return true;
  }

  /** A job is its from now on. */
  count(job: Job): void {
    if (this.inFlight++ === 0) this.progress = performance.now();
    const priority = priorityOf(job);
    if (priority < this.lowest) this.lowest = priority;
    this.quota--;
    this.unsignalled++;
    job.place = this;
  }

  /** A job is not its any more. */
  forget(job: Job): void {
    this.inFlight--;
    job.place = undefined;
    if (this.#order.peek() === job) this.#order.shift();
    if (this.inFlight > 0) return;
    this.idleSince = performance.now();
    this.lowest = Infinity;
  }

  started(job: Job): boolean {
    return this.#tasks.started(job.at);
  }

  /** Takes a job back wherever it lies; false if it was begun. */
  revoke(job: Job): boolean {
    if (!this.#tasks.revoke(job.at)) return false;
    job.state = OVER;
    this.quota++;
    this.forget(job);
    return true;
  }

  /** Takes back up to `most` jobs that it has not begun, the last first. */
  takeBack(most: number): Job[] {
    const taken: Job[] = [];
    while (taken.length < most && this.#order.size > 0) {
      const job = this.#order.pop()!;
      if (job.state !== SENT || job.place !== this) continue;
      if (!this.#takeOut(job)) {
        this.#order.push(job);
        break;
      }
      if (job.bytes === undefined) keepBytes(job, this.#tasks.payload(job.at), this.#tasks.kind(job.at));
      this.quota++;
      this.inFlight--;
      job.place = undefined;
      taken.push(job);
    }
    if (most === Infinity) this.lowest = Infinity;
    return taken;
  }

  /** All it has; it is dead. `begun` tells those it had begun from the rest. */
  *remaining(): Generator<{ readonly job: Job; readonly begun: boolean }> {
    for (let job = this.#order.shift(); job !== undefined; job = this.#order.shift()) {
      if (job.state !== SENT || job.place !== this) continue;
      const begun = this.#tasks.started(job.at);
      if (!begun && job.bytes === undefined) keepBytes(job, this.#tasks.payload(job.at), this.#tasks.kind(job.at));
      yield { job, begun };
    }
    for (const job of this.hosted) yield { job, begun: true };
  }

  /** Jobs that it has, in the order it got them. */
  jobs(): Job[] {
    const sent = [...this.#order].filter((job) => job.state === SENT && job.place === this);
    return [...sent, ...this.hosted];
  }

  /** Reads what it has measured since the last time; the calls done and their milliseconds. */
  measure(): { readonly calls: number; readonly millis: number } {
    const { words } = this.link.memory;
    const done = Atomics.load(words, DONE);
    const busy = Atomics.load(words, BUSY);
    const calls = (done - this.#done) | 0;
    const micros = (busy - this.#busy) | 0;
    if (calls <= 0) return nothing;
    this.#done = done;
    this.#busy = busy;
    this.busy += micros / 1000;
    this.average = micros / calls / 1e6;
    this.ahead = Math.max(1, Math.min(mostAhead, Math.round((aheadMicros * calls) / Math.max(1, micros))));
    return { calls, millis: micros / 1000 };
  }

  /** Wakes it if it sleeps. */
  wake(): void {
    this.unsignalled = 0;
    const { memory } = this.link;
    const state = Atomics.load(memory.words, WORKER_STATE);
    if (state === AWAKE || Atomics.compareExchange(memory.words, WORKER_STATE, state, AWAKE) !== state) return;
    Atomics.add(memory.words, WORKER_BELL, 1);
    memory.wake(WORKER_BELL);
    if (state === IN_LOOP) this.link.wakeLoop();
  }

  /** Has it let its event loop turn: there is a message for it. */
  attend(): void {
    Atomics.store(this.link.memory.words, ATTEND, 1);
    this.wake();
  }

  /** Whether it is to tell of its next result. */
  set listening(asleep: boolean) {
    Atomics.store(this.link.memory.words, ENGINE_ASLEEP, asleep ? 1 : 0);
  }

  // What is written behind the definition of a function must not be written over it.
  #takeOut({ at }: Job): boolean {
    if (this.#lastDefined !== undefined && this.#tasks.started(this.#lastDefined)) this.#lastDefined = undefined;
    const before = this.#lastDefined !== undefined && ((at - this.#lastDefined) | 0) < 0;
    return before ? this.#tasks.revoke(at) : this.#tasks.unwrite(at);
  }

  #define(job: Job, definition: Definition): boolean {
    if (!prepare(JSON.stringify(definition.reference))) {
      job.byMessage = true;
      return false;
    }
    const at = this.#tasks.write(0, (definition.number << 8) | (DEFINE << 4));
    if (at < 0) return false;
    this.#lastDefined = at;
    this.#defined[definition.number] = true;
    return true;
  }
}

const nothing = { calls: 0, millis: 0 };
