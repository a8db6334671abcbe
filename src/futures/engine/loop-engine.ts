import { EventEmitter } from 'node:events';
import { onAbort } from '../../base/abort.ts';
import { cancelledBy } from '../../base/deadline.ts';
import type { WaitOptions } from '../../base/deadline.ts';
import { deferred } from '../../base/deferred.ts';
import { withinBounds } from '../../base/ending-signals.ts';
import { CancelledError, ClosedError, FullError, TimeoutError, UnsupportedError } from '../../base/errors.ts';
import { KeepAlive } from '../../base/keep-alive.ts';
import { isThenable } from '../../base/thenable.ts';
import { context } from '../../callable/context.ts';
import type { CallContext } from '../../callable/context.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import { BrokenExecutor } from '../errors.ts';
import type { ExecutorOptions, SubmitOptions } from '../options.ts';
import type { ExecutorEvents, ExecutorStatistics } from '../statistics.ts';
import { Backlog } from './backlog.ts';
import type { CallEngine } from './call-engine.ts';
import type { Sink } from './job.ts';
import { clockEighths, millisBetween } from './eighths.ts';
import { HOSTED, OVER, QUEUED } from './job.ts';
import { limitsOf } from './limits.ts';
import { LoopCall } from './loop-call.ts';
import { Recorder } from './recorder.ts';
import type { EngineSettings } from './settings.ts';
import { checkWorkers, settingsOf } from './settings.ts';

/** Options of an engine on the event loop: `maxWorkers` is how many calls may be under way. */
export interface LoopOptions extends ExecutorOptions {
  /**
   * How a function is entered; by default in a context in which `currentSignal` is the call's. Without that context, which on Node 20
   * and 22 makes every promise dearer, a function is told of its signal otherwise.
   */
  readonly enter?: (fn: AnyFunction, args: readonly unknown[], call: CallContext) => unknown;
}

const worker = 'the event loop';
// Milliseconds of calls without a pause after which other events get their turn.
const longestSlice = 10;
const waiting = new KeepAlive();

/**
 * Runs calls on this very event loop, so many at a time; with one, one after the other. Functions and values need not cross anything.
 * It keeps time limits of what yields, and refuses those it cannot keep: UnsupportedError for `memoryLimit` and `maxTasksPerChild`.
 */
export class LoopEngine implements CallEngine {
  readonly #settings: EngineSettings;
  readonly #enter: NonNullable<LoopOptions['enter']>;
  readonly #recorder = new Recorder();
  readonly #backlog = new Backlog<LoopCall>();
  readonly #running = new Slots();
  readonly #emitter = new EventEmitter();
  readonly #started = performance.now();
  readonly #ended = deferred();
  readonly #initialised: Promise<void>;
  #slots: number;
  #state: 'starting' | 'open' | 'closing' | 'closed' = 'starting';
  #broken: { readonly cause: unknown } | undefined;
  /** Within a call's synchronous part: calls it makes wait for their turn. */
  #beginning = false;
  #pausing = false;

  constructor({ enter = inContext, ...options }: LoopOptions) {
    refuse(options);
    this.#settings = settingsOf(options);
    this.#slots = this.#settings.maxWorkers;
    this.#enter = enter;
    this.#initialised = this.#initialise();
  }

  get maxWorkers(): number {
    return this.#slots;
  }

  get closing(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  call(fn: AnyFunction, args: readonly unknown[], sink: Sink, options?: SubmitOptions): LoopCall {
    this.#checkOpen();
    this.#recorder.submitted++;
    const job = new LoopCall(this, fn, args, sink);
    const { timeout } = this.#settings;
    if (options !== undefined || timeout !== undefined) this.#limit(job, options);
    if (job.state === OVER) return job;
    if (this.#backlog.size === 0 && this.#hasSlot()) {
      this.#begin(job);
      if (this.#backlog.size > 0) this.#refill();
    } else {
      job.since = clockEighths();
      this.#backlog.push(job);
    }
    return job;
  }

  tell(job: LoopCall, reason: Error): void {
    if (job.state === OVER || job.abandoned) return;
    if (job.state === QUEUED) return this.#takeBack(job).fail(reason);
    // Once: its grace time runs from then on.
    if (job.told) return;
    job.told = true;
    job.abort(reason);
    if (job.limits?.timeout === undefined) this.#expectEnd(job);
  }

  revoke(job: LoopCall, running: boolean): boolean {
    if (job.state === OVER || job.abandoned) return false;
    if (job.state === QUEUED) this.#takeBack(job);
    else if (running) this.#stop(job, new CancelledError());
    else return false;
    this.#recorder.cancelled++;
    return true;
  }

  async ready(options?: WaitOptions): Promise<void> {
    await withinBounds(this.#initialised, options, 'the initializer of a pool');
    if (this.#broken !== undefined) throw this.#brokenError();
  }

  resize(maxWorkers: number): void {
    this.#slots = checkWorkers(maxWorkers);
    this.#refill();
  }

  close({ cancelQueued = false }: { readonly cancelQueued?: boolean } = {}): void {
    if (cancelQueued) this.#failQueued(() => new CancelledError('cancelled by shutdown'));
    if (!this.closing) this.#state = 'closing';
    this.#finishIfDone();
  }

  async join(options?: WaitOptions): Promise<void> {
    await waiting.during(withinBounds(this.#ended.promise, options, 'the end of a pool'));
  }

  /** What runs is told to stop and waited for no more: on an event loop nothing can be ended from outside. */
  async terminate(
    _signal: NodeJS.Signals,
    error: () => Error = () => new ClosedError('the pool was terminated'),
  ): Promise<void> {
    this.close();
    this.#failQueued(error);
    for (const job of this.#running.all()) {
      const reason = error();
      job.abandon().fail(reason);
      job.abort(reason);
      this.#leave(job);
    }
    this.#finishIfDone();
    await this.#ended.promise;
  }

  statistics(): ExecutorStatistics {
    const { submitted, completed, failed, cancelled, timedOut, waitTime, runTime, busy } = this.#recorder;
    const time = performance.now() - this.#started;
    return {
      workers: this.#slots,
      idleWorkers: Math.max(0, this.#slots - this.#running.size),
      queued: this.#backlog.size,
      running: this.#running.size,
      submitted,
      completed,
      failed,
      cancelled,
      timedOut,
      lost: 0,
      stolen: 0,
      recycled: 0,
      died: 0,
      utilisation: Math.min(1, busy / (time * this.#slots)),
      waitTime: waitTime.snapshot(),
      runTime: runTime.snapshot(),
    };
  }

  on<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): void {
    this.#emitter.on(event, listener);
  }

  off<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): void {
    this.#emitter.off(event, listener);
  }

  async #initialise(): Promise<void> {
    const { initializer, initargs } = this.#settings;
    if (initializer === undefined) return this.#open();
    try {
      await (initializer as (...args: readonly unknown[]) => unknown)(...initargs);
      this.#open();
    } catch (cause) {
      this.#broken = { cause };
      void this.terminate('SIGKILL', () => this.#brokenError());
    }
  }

  #open(): void {
    if (this.#state === 'starting') this.#state = 'open';
    this.#refill();
  }

  #checkOpen(): void {
    if (this.#broken !== undefined) throw this.#brokenError();
    if (this.closing) throw new ClosedError('cannot schedule new futures after shutdown');
    const { maxQueue } = this.#settings;
    if (maxQueue !== undefined && this.#backlog.size >= maxQueue && !this.#hasSlot())
      throw new FullError(`the queue of the pool is full (maxQueue ${maxQueue})`);
  }

  #limit(job: LoopCall, options: SubmitOptions = {}): void {
    job.limits = limitsOf(options, this.#settings.timeout, this.#recorder.submitted);
    const { signal } = options;
    if (signal === undefined) return;
    const cancel = () => {
      this.#recorder.cancelled++;
      const reason = cancelledBy(signal);
      if (job.state === QUEUED) this.#takeBack(job).fail(reason);
      else this.#stop(job, reason);
    };
    if (!signal.aborted) job.limits!.forget = onAbort(signal, cancel);
    else {
      job.state = OVER;
      this.#recorder.cancelled++;
      sinkLater(job.sink, cancelledBy(signal));
    }
  }

  #hasSlot(): boolean {
    return this.#running.size < this.#slots && !this.#beginning && !this.#pausing && this.#state !== 'starting';
  }

  #begin(job: LoopCall): void {
    job.state = HOSTED;
    this.#running.add(job);
    const now = clockEighths();
    this.#recorder.waited(job.since === 0 ? 0 : millisBetween(job.since, now));
    job.since = now;
    const timeout = job.limits?.timeout;
    if (timeout !== undefined) job.expire(timeout, () => this.#expire(job, timeout));
    let result: unknown;
    this.#beginning = true;
    try {
      result = this.#enter(job.fn, job.args, job);
    } catch (error) {
      return this.#end(job, error, true);
    } finally {
      this.#beginning = false;
    }
    if (!isThenable(result)) return this.#end(job, result, false);
    (result as PromiseLike<unknown>).then(
      (value) => this.#endAndRefill(job, value, false),
      (error: unknown) => this.#endAndRefill(job, error, true),
    );
  }

  #endAndRefill(job: LoopCall, value: unknown, failed: boolean): void {
    this.#end(job, value, failed);
    if (this.#backlog.size > 0) this.#refill();
  }

  #end(job: LoopCall, value: unknown, failed: boolean): void {
    if (job.state === OVER) return; // it was given up
    this.#leave(job);
    if (failed) this.#recorder.failed++;
    else this.#recorder.completed++;
    // A call that its sink makes waits until this one has returned: they would be stacked up.
    this.#beginning = true;
    try {
      if (failed) job.sink.fail(value);
      else job.sink.fulfil(value);
    } finally {
      this.#beginning = false;
    }
    if (this.#state === 'closing') this.#finishIfDone();
  }

  #leave(job: LoopCall): void {
    this.#running.remove(job);
    job.over();
    this.#recorder.ranFor(millisBetween(job.since, clockEighths()));
  }

  #refill(): void {
    const since = clockEighths();
    while (this.#backlog.size > 0 && this.#hasSlot()) {
      const job = this.#backlog.take()!;
      this.#begin(job);
      if (millisBetween(since, job.since) < longestSlice) continue;
      this.#pausing = true;
      setImmediate(() => {
        this.#pausing = false;
        this.#refill();
      });
    }
  }

  #takeBack(job: LoopCall): Sink {
    this.#backlog.size--;
    job.state = OVER;
    job.limits?.forget?.();
    if (this.#state === 'closing') this.#finishIfDone();
    return job.sink;
  }

  #expire(job: LoopCall, timeout: number): void {
    this.#recorder.timedOut++;
    this.#emitter.emit('timeout', { worker, timeout });
    this.#stop(job, new TimeoutError(`${job.fn.name || 'a function'} ran longer than ${timeout} s`, { timeout }));
  }

  // Fails it now; it is told, and if it does not stop in time its slot is another's.
  #stop(job: LoopCall, reason: Error): void {
    if (job.abandoned) return;
    job.abandon().fail(reason);
    job.abort(reason);
    this.#expectEnd(job);
  }

  #expectEnd(job: LoopCall): void {
    job.expire(this.#settings.grace, () => {
      this.#emitter.emit('stuck', { worker });
      if (!job.abandoned) return;
      this.#leave(job);
      this.#refill();
      this.#finishIfDone();
    });
  }

  #failQueued(error: () => Error): void {
    for (const job of this.#backlog.drain()) {
      job.state = OVER;
      job.limits?.forget?.();
      job.sink.fail(error());
    }
  }

  #finishIfDone(): void {
    if (this.#state !== 'closing' || this.#backlog.size > 0 || this.#running.size > 0) return;
    this.#state = 'closed';
    this.#ended.resolve();
  }

  #brokenError(): BrokenExecutor {
    return new BrokenExecutor('the pool is broken: its initializer failed', { cause: this.#broken!.cause });
  }
}

// Not a Set: its tables, renewed over and over, keep what they had alive for longer, and the collector busy.
class Slots {
  readonly #jobs: LoopCall[] = [];

  get size(): number {
    return this.#jobs.length;
  }

  all(): LoopCall[] {
    return [...this.#jobs];
  }

  add(job: LoopCall): void {
    job.at = this.#jobs.push(job) - 1;
  }

  remove({ at }: LoopCall): void {
    const last = this.#jobs.pop()!;
    if (at === this.#jobs.length) return;
    this.#jobs[at] = last;
    last.at = at;
  }
}

function inContext(fn: AnyFunction, args: readonly unknown[], call: CallContext): unknown {
  return context.run(call, fn as (...args: unknown[]) => unknown, ...args);
}

function refuse({ memoryLimit, maxTasksPerChild }: ExecutorOptions): void {
  if (memoryLimit === undefined && maxTasksPerChild === undefined) return;
  const name = memoryLimit === undefined ? 'maxTasksPerChild' : 'memoryLimit';
  throw new UnsupportedError(`${name} cannot be kept on the event loop of the program: use threads or processes`);
}

function sinkLater(sink: Sink, error: Error): void {
  queueMicrotask(() => sink.fail(error));
}
