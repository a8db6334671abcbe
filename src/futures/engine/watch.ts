import { readFileSync } from 'node:fs';
import { cancelledBy } from '../../base/deadline.ts';
import { CancelledError, TimeoutError } from '../../base/errors.ts';
import { onAbort } from '../../base/abort.ts';
import { CURRENT, CURRENT_SINCE } from '../channel/layout.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Job } from './job.ts';
import { HOSTED, OVER } from './job.ts';
import type { Recorder } from './recorder.ts';
import type { Worker } from './worker.ts';

// Milliseconds between two looks at the memory of a worker: while it works, and where it answers.
const betweenWeighings = 50;
const betweenAnswers = 5;

export interface WatchParts {
  readonly dispatcher: Dispatcher;
  readonly recorder: Recorder;
  readonly grace: number;
  readonly concurrency: number;
  readonly memoryLimit: number | undefined;
  workers(): Iterable<Worker>;
  kill(worker: Worker): void;
  timedOut(worker: Worker, timeout: number): void;
}

/** Holds the limits of calls and workers: run time, memory, cancellation of what runs. */
export class Watch {
  readonly #parts: WatchParts;
  /** The next look at the timed calls of a worker. */
  readonly #looks = new Map<Worker, { at: number; timer: NodeJS.Timeout }>();
  readonly #looksPerLimit: number;
  readonly #told = new WeakSet<Job>();
  #busy = false;
  #memory: NodeJS.Timeout | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    // A worker tells only of the last call it began, since when it runs; of others it is seen.
    this.#looksPerLimit = parts.concurrency === 1 ? 1 : 8;
  }

  /** A job with a time limit was given to a worker: it cannot be over before that time from now. */
  timed(worker: Worker, job: Job): void {
    const limits = job.limits!;
    const time = now();
    if (job.state === HOSTED) limits.begun = time;
    else delete limits.begun;
    this.#lookAt(worker, time + limits.timeout! / this.#looksPerLimit);
  }

  /** Cancels a job when its signal fires. */
  follow(job: Job, signal: AbortSignal): void {
    job.limits!.forget = onAbort(signal, () => {
      const { dispatcher, recorder } = this.#parts;
      const reason = cancelledBy(signal);
      if (dispatcher.revoke(job)) return job.sink.fail(reason);
      recorder.cancelled++;
      this.stop(job, reason);
    });
  }

  /** Ends a job that runs: its future fails now; it is told, and its worker ended if it does not stop in time. */
  stop(job: Job, reason: Error = new CancelledError()): void {
    this.tell(job, reason);
    job.abandon().fail(reason);
  }

  /** Tells a job that runs to stop, and ends its worker if it does not stop in time. */
  tell(job: Job, reason: Error): void {
    // Once is enough, and twice would free its number twice.
    if (this.#told.has(job)) return;
    this.#told.add(job);
    const worker = job.place as Worker;
    this.#parts.dispatcher.tell(worker, job.id, reason);
    const timer = setTimeout(() => {
      if (job.state === OVER || job.place !== worker || worker.state === 'gone') return;
      worker.killed = reason;
      this.#parts.kill(worker);
    }, this.#parts.grace * 1000);
    timer.unref();
  }

  busy(busy: boolean): void {
    this.#busy = busy;
    if (busy) this.weighAll();
  }

  /** Looks at the memory of the workers, now and as long as they have something to do, and once more: it does not wake an idle pool. */
  weighAll(): void {
    if (this.#parts.memoryLimit === undefined || this.#memory !== undefined) return;
    this.#memory = setInterval(() => this.#weighAll(), betweenWeighings).unref();
    this.#weighAll();
  }

  /** Whether a worker does not hold more than it may: one that does is ended. */
  fits(worker: Worker): boolean {
    return this.#parts.memoryLimit === undefined || this.#weigh(worker);
  }

  /** A worker has answered: what a call leaves behind is noticed before the next one is given to it. */
  answered(worker: Worker): void {
    if (this.#parts.memoryLimit === undefined || performance.now() - worker.weighed < betweenAnswers) return;
    this.#weigh(worker);
  }

  close(): void {
    clearInterval(this.#memory);
    this.#memory = undefined;
  }

  gone(worker: Worker): void {
    clearTimeout(this.#looks.get(worker)?.timer);
    this.#looks.delete(worker);
  }

  #lookAt(worker: Worker, at: number): void {
    const known = this.#looks.get(worker);
    if (known !== undefined && known.at <= at) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(
      () => this.#look(worker),
      Math.max(0, Math.min(2 ** 31 - 1, Math.ceil((at - now()) * 1000))),
    );
    timer.unref();
    this.#looks.set(worker, { at, timer });
  }

  #look(worker: Worker): void {
    this.#looks.delete(worker);
    if (worker.state === 'gone') return;
    const time = now();
    let next = Infinity;
    for (const job of worker.jobs()) {
      const timeout = job.limits?.timeout;
      if (timeout === undefined || job.abandoned) continue;
      const begun = this.#begun(worker, job, time);
      const end = (begun ?? time) + timeout;
      if (begun === undefined) next = Math.min(next, time + timeout / this.#looksPerLimit);
      else if (end > time) next = Math.min(next, end);
      else this.#expire(worker, job, timeout);
    }
    if (next < Infinity) this.#lookAt(worker, next);
  }

  #begun(worker: Worker, job: Job, time: number): number | undefined {
    const { dispatcher } = this.#parts;
    if (!dispatcher.isRunning(job)) return undefined;
    const { words, doubles } = worker.link.memory;
    if (Atomics.load(words, CURRENT) === job.id) return doubles[CURRENT_SINCE >> 1]!;
    return (job.limits!.begun ??= time);
  }

  #expire(worker: Worker, job: Job, timeout: number): void {
    const name = job.definition.name || 'a function';
    this.#parts.recorder.timedOut++;
    this.#parts.timedOut(worker, timeout);
    this.stop(job, new TimeoutError(`${name} ran longer than ${timeout} s`, { timeout }));
  }

  #weighAll(): void {
    // An initializer may be what takes it.
    let starting = false;
    for (const worker of this.#parts.workers()) {
      starting ||= worker.state === 'starting';
      this.#weigh(worker);
    }
    if (!this.#busy && !starting) this.close();
  }

  #weigh(worker: Worker): boolean {
    const { pid } = worker.link;
    if (pid === undefined || worker.killed !== undefined) return worker.killed === undefined;
    const size = residentBytes(pid);
    worker.weighed = performance.now();
    if (size <= this.#parts.memoryLimit!) return true;
    worker.outOfMemory = true;
    worker.killed = new Error(`it used ${megabytes(size)} of ${megabytes(this.#parts.memoryLimit!)} MB`);
    this.#parts.kill(worker);
    return false;
  }
}

function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds + nanoseconds / 1e9;
}

const pageBytes = 4096;

function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * pageBytes;
  } catch {
    return 0; // it has just ended
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
