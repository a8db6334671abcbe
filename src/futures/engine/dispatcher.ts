import { deferred } from '../../base/deferred.ts';
import { packError, unpackError } from '../../callable/packed-error.ts';
import type { PackedError } from '../../callable/packed-error.ts';
import { fromModule } from '../../callable/from-module.ts';
import { ERROR, FETCH, FETCH_ITEM, ITEM, STREAM } from '../channel/layout.ts';
import { Backlog, priorityOf } from './backlog.ts';
import { eighths } from './eighths.ts';
import type { Job, Sink } from './job.ts';
import { HOSTED, OVER, QUEUED, SENT } from './job.ts';
import { isGone } from './link.ts';
import { keepPayload } from './payload.ts';
import type { Recorder } from './recorder.ts';
import type { Worker } from './worker.ts';

export const remote = fromModule<typeof import('../worker/attach.ts')>(new URL('../worker/attach.js', import.meta.url));

// Milliseconds of results after which other events get their turn, and the results between two looks at the clock.
const longestDrain = 2;
const looks = 128;
// Calls written before a worker is woken within the turn.
const wakeAfter = 64;
const mostLowAhead = 8;
// Seconds within which a worker will be through with what it has: sooner than another would be awake.
const soon = 5e-5;
// Milliseconds without an answer after which what a worker has not begun is given to others: to one that has nothing,
// or if more waits.
const ripe = 1;
const stuck = 5;

/** What the dispatcher needs of the rest of the engine. */
export interface DispatcherEvents {
  /** The first call, or the last one, is there. */
  busy(busy: boolean): void;
  /** A call waits and no worker can take it. */
  short(): void;
  /** A worker has answered. */
  answered(worker: Worker): void;
  /** A job with a time limit was given to a worker. */
  timed(worker: Worker, job: Job): void;
  /** A call is over. */
  over(): void;
}

/** Gives jobs to workers and takes their answers. */
export class Dispatcher {
  readonly workers: Worker[] = [];
  readonly #concurrency: number;
  readonly #events: DispatcherEvents;
  readonly #recorder: Recorder;
  readonly #backlog = new Backlog<Job>();
  readonly #jobs: (Job | undefined)[] = [];
  readonly #free: number[] = [];
  /** Numbers of calls whose worker is being told to stop them. */
  readonly #told = new Set<number>();
  /** Calls that are not over. */
  pending = 0;
  #now = 0;
  #flushing = false;
  #refilling: NodeJS.Immediate | undefined;
  #balancing: NodeJS.Timeout | undefined;

  constructor(concurrency: number, recorder: Recorder, events: DispatcherEvents) {
    this.#concurrency = concurrency;
    this.#recorder = recorder;
    this.#events = events;
  }

  get waiting(): number {
    return this.#backlog.size;
  }

  submit(job: Job): void {
    if (this.pending++ === 0) this.#events.busy(true);
    if (!this.#flushing) this.#now = performance.now();
    job.submitted = eighths(this.#now);
    if (this.#backlog.size === 0) {
      const worker = this.#pick(job);
      if (worker !== undefined && worker.lowest >= priorityOf(job) && this.#give(worker, job)) return;
    }
    if (job.state === QUEUED) this.#wait(job);
  }

  /** Takes the answers of all workers; false if some are left because other events must have their turn. */
  drain(): boolean {
    this.#now = performance.now();
    const until = this.#now + longestDrain;
    let all = true;
    for (let i = 0; i < this.workers.length; i++) all = this.#receive(this.workers[i]!, until) && all;
    this.refill();
    this.#balance();
    return all;
  }

  /** Whether a worker has answered since the last drain. */
  hasAnswers(): boolean {
    for (const worker of this.workers) if (!worker.results.isEmpty()) return true;
    return false;
  }

  refill(): void {
    while (this.#backlog.size > 0) {
      const job = this.#backlog.peek()!;
      const worker = this.#pick(job);
      if (worker === undefined) return this.#events.short();
      this.#backlog.take();
      if (this.#give(worker, job) || job.state === OVER) continue;
      this.#backlog.putBack(job);
      if (!job.byMessage) return;
    }
  }

  add(worker: Worker): void {
    this.workers.push(worker);
    worker.listening = true;
    this.refill();
    this.#balance();
  }

  /** A worker gets no more; what it has not begun goes to others. */
  retire(worker: Worker): void {
    worker.quota = 0;
    this.takeBack(worker);
    worker.quota = 0;
    this.refill();
  }

  remove(worker: Worker): void {
    const at = this.workers.indexOf(worker);
    if (at >= 0) this.workers.splice(at, 1);
  }

  takeBack(worker: Worker, most = Infinity): void {
    for (const job of worker.takeBack(most)) this.#return(job);
  }

  /** A worker is gone: what it had answered counts, what it had begun fails, the rest waits again. */
  lost(worker: Worker, failure: (job: Job, when: string) => Error): void {
    this.#receive(worker, Infinity);
    this.remove(worker);
    const rest = [...worker.remaining()];
    worker.hosted.clear();
    for (const { job, reject } of worker.late) reject(failure(job, 'before it had handed over all items of'));
    for (const { job, begun } of rest.reverse()) {
      if (begun) this.#fail(worker, job, failure(job, 'while it ran'), 'lost');
      else {
        worker.inFlight--;
        this.#return(job);
      }
    }
    this.refill();
  }

  /** Fails all that waits, or everything there is. */
  failAll(error: () => Error, { running }: { readonly running: boolean }): void {
    for (const job of this.#backlog.drain()) this.#over(job).fail(error());
    for (const worker of this.workers) {
      for (const job of worker.jobs()) {
        if (worker.revoke(job)) this.#over(job).fail(error());
        else if (running) job.abandon().fail(error());
      }
    }
  }

  isRunning(job: Job): boolean {
    return job.state === HOSTED || (job.state === SENT && job.place!.started(job));
  }

  /** Takes a job back that has not begun. */
  revoke(job: Job): boolean {
    if (job.state === QUEUED) this.#backlog.size--;
    else if (job.state !== SENT || !job.place!.revoke(job)) return false;
    // If it was the last its worker had, no answer is to come.
    else if (this.#backlog.size > 0) this.#refillSoon();
    this.#over(job);
    this.#recorder.cancelled++;
    return true;
  }

  /** Tells a worker to stop a call. Until it has heard, no other call gets that number: it would be the one to stop. */
  tell(worker: Worker, id: number, reason: Error): void {
    this.#told.add(id);
    const heard = () => {
      this.#told.delete(id);
      if (this.#jobs[id] === undefined) this.#free.push(id);
    };
    worker.link.host.call(remote.abort, [id, packError(reason)]).then(heard, heard);
    worker.attend();
  }

  close(): void {
    clearTimeout(this.#balancing);
    this.#balancing = undefined;
    clearImmediate(this.#refilling);
  }

  #wait(job: Job): void {
    try {
      keepPayload(job);
    } catch (error) {
      return this.#over(job).fail(error);
    }
    this.#backlog.push(job);
    const priority = priorityOf(job);
    const behind = this.workers.filter((worker) => worker.lowest < priority);
    if (behind.length === 0) return this.#events.short();
    for (const worker of behind) this.takeBack(worker);
    this.refill();
  }

  #return(job: Job): void {
    this.#freeId(job);
    job.state = QUEUED;
    job.place = undefined;
    this.#backlog.putBack(job);
  }

  #pick(job: Job): Worker | undefined {
    let best: Worker | undefined;
    let awake: Worker | undefined;
    let least = Infinity;
    for (let i = 0; i < this.workers.length; i++) {
      const worker = this.workers[i]!;
      const { inFlight } = worker;
      // What lies in the ring would overtake what comes by message.
      const ahead = job.byMessage || worker.hosted.size > 0 ? 0 : aheadFor(job, worker);
      if (inFlight >= this.#concurrency + ahead || worker.quota <= 0) continue;
      if (inFlight < least) {
        best = worker;
        least = inFlight;
      }
      if (inFlight > 0 && awake === undefined && this.#isSoonFree(worker, job)) awake = worker;
    }
    if (least > 0 || awake === undefined) return best;
    // Where it takes longer than supposed, the idle one gets what is behind.
    this.#balanceLater();
    return awake;
  }

  #isSoonFree({ average, inFlight, progress, lowest }: Worker, job: Job): boolean {
    if (average === 0 || inFlight * average > soon || this.#now - progress >= ripe) return false;
    return lowest >= priorityOf(job);
  }

  #give(worker: Worker, job: Job): boolean {
    const id = this.#free.pop() ?? this.#jobs.length;
    this.#jobs[id] = job;
    if (!job.byMessage && worker.send(job, id)) {
      job.id = id;
      job.state = SENT;
      if (job.limits?.timeout !== undefined) this.#events.timed(worker, job);
      this.#signal(worker);
      return true;
    }
    this.#jobs[id] = undefined;
    this.#free.push(id);
    if (job.byMessage) return this.#host(worker, job);
    // What fills its ring was revoked: no answer is to come, and it is about to pass them.
    if (worker.inFlight === 0) this.#refillSoon();
    return false;
  }

  #host(worker: Worker, job: Job): boolean {
    if (worker.inFlight >= this.#concurrency) return false;
    try {
      keepPayload(job);
    } catch (error) {
      this.#over(job).fail(error);
      return true;
    }
    const id = this.#free.pop() ?? this.#jobs.length;
    this.#jobs[id] = job;
    job.id = id;
    job.state = HOSTED;
    worker.hosted.add(job);
    worker.count(job);
    const { definition, mode, args } = job;
    const list = Array.isArray(args) && mode !== 0 ? (args as unknown[]) : [args];
    worker.link.host.call(remote.hosted, [id, mode, definition.reference, list]).then(
      (value) => this.#hosted(worker, job)?.fulfil(value),
      (error: unknown) => this.#hosted(worker, job)?.fail(error),
    );
    job.args = undefined;
    if (job.limits?.timeout !== undefined) this.#events.timed(worker, job);
    worker.attend();
    return true;
  }

  // Undefined if the worker died: then that has been told.
  #hosted(worker: Worker, job: Job): Sink | undefined {
    if (job.state !== HOSTED) return undefined;
    // Items of a stream lie in the ring.
    if (job.mode === STREAM) this.#receive(worker, Infinity);
    worker.hosted.delete(job);
    this.#recorder.completed++;
    const sink = this.#finish(worker, job);
    this.#events.answered(worker);
    queueMicrotask(() => this.refill());
    return sink;
  }

  #refillSoon(): void {
    this.#refilling ??= setImmediate(() => {
      this.#refilling = undefined;
      this.refill();
    });
  }

  #signal(worker: Worker): void {
    if (worker.unsignalled >= wakeAfter) worker.wake();
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    for (let i = 0; i < this.workers.length; i++) if (this.workers[i]!.unsignalled > 0) this.workers[i]!.wake();
  };

  #receive(worker: Worker, until: number): boolean {
    const { results } = worker;
    let count = 0;
    let all = true;
    for (;;) {
      try {
        if (!results.next()) break;
        this.#answer(worker, results.id, results.status, results.value);
      } catch (error) {
        this.#answer(worker, results.id, ERROR, packError(error));
      }
      if (++count % looks === 0) {
        results.release();
        if (performance.now() > until) {
          all = false;
          break;
        }
      }
    }
    if (count === 0) return true;
    results.release();
    worker.progress = this.#now;
    this.#recorder.ran(worker.measure());
    this.#events.answered(worker);
    return all;
  }

  #answer(worker: Worker, id: number, status: number, value: unknown): void {
    const job = this.#jobs[id]!;
    if (status === ITEM) return job.sink.item!(value);
    if (status === FETCH_ITEM) return job.sink.item!(this.#later(worker, job, value as number));
    if (status === FETCH) return this.#fetch(worker, job);
    this.#recorder.answered(((eighths(this.#now) - job.submitted) | 0) / 8, worker.results.micros);
    if (status === ERROR) {
      this.#recorder.failed++;
      this.#finish(worker, job).fail(unpackError(value as PackedError, { from: worker.link.name }));
    } else {
      this.#recorder.completed++;
      this.#finish(worker, job).fulfil(value);
    }
  }

  // What is moved, shared or large comes by message.
  #fetch(worker: Worker, job: Job): void {
    const { id } = job;
    worker.link.host.call(remote.fetch, [id]).then(
      (value) => (job.id === id && job.state !== OVER ? this.#finish(worker, job).fulfil(value) : undefined),
      (error: unknown) => (job.id === id && job.state !== OVER ? this.#finish(worker, job).fail(error) : undefined),
    );
    worker.attend();
  }

  // The stream may have come to its end long before, and its worker may die, or block for ever, in another call.
  #later(worker: Worker, job: Job, number: number): Promise<unknown> {
    const { promise, resolve, reject } = deferred<unknown>();
    const item = { job, reject };
    worker.late.add(item);
    worker.link.host.call(remote.fetch, [number]).then(resolve, (error: unknown) => {
      // What it died of is known soon, and told then.
      if (!isGone(error)) reject(error);
    });
    const got = () => void worker.late.delete(item);
    promise.then(got, got); // whoever reads the stream hears of it
    worker.attend();
    return promise;
  }

  #finish(worker: Worker, job: Job): Sink {
    worker.forget(job);
    return this.#over(job);
  }

  #fail(worker: Worker, job: Job, error: Error, why: 'lost'): void {
    this.#recorder[why]++;
    this.#finish(worker, job).fail(error);
  }

  #over(job: Job): Sink {
    job.state = OVER;
    job.limits?.forget?.();
    this.#freeId(job);
    job.args = undefined;
    job.bytes = undefined;
    if (--this.pending === 0) this.#events.busy(false);
    this.#events.over();
    return job.sink;
  }

  #freeId(job: Job): void {
    if (job.id < 0) return;
    this.#jobs[job.id] = undefined;
    if (this.#told.size === 0 || !this.#told.has(job.id)) this.#free.push(job.id);
    job.id = -1;
  }

  // A worker may have begun something long, with short calls behind it.
  #balance(): void {
    if (this.workers.length < 2 || this.pending === 0) return;
    const now = (this.#now = performance.now());
    if (this.#backlog.size > 0) return this.#unstick(now);
    const idle = this.workers.find((each) => each.inFlight < this.#concurrency && each.quota > 0);
    if (idle === undefined) return;
    const victim = this.workers.reduce((most, each) => (each.inFlight > most.inFlight ? each : most));
    const excess = victim.inFlight - this.#concurrency;
    if (excess <= 0) return;
    if (now - victim.progress < ripe && excess * victim.average < ripe / 1000) return this.#balanceLater();
    const taken = victim.takeBack(Math.ceil(excess / 2));
    this.#recorder.stolen += taken.length;
    for (const job of taken) this.#return(job);
    this.refill();
    if (taken.length > 0) this.#balanceLater();
  }

  #unstick(now: number): void {
    for (const worker of this.workers) {
      if (worker.inFlight <= this.#concurrency || now - worker.progress < stuck) continue;
      worker.ahead = 0;
      this.takeBack(worker);
    }
    this.refill();
  }

  #balanceLater(): void {
    this.#balancing ??= setTimeout(() => {
      this.#balancing = undefined;
      this.#balance();
    }, 2 * ripe);
  }
}

// Calls of low priority are taken back whenever others come.
function aheadFor(job: Job, { ahead }: Worker): number {
  return priorityOf(job) < 0 ? Math.min(ahead, mostLowAhead) : ahead;
}
