import { EventEmitter } from 'node:events';
import type { WaitOptions } from '../../base/deadline.ts';
import { cancelledBy } from '../../base/deadline.ts';
import { deferred } from '../../base/deferred.ts';
import { withinBounds } from '../../base/ending-signals.ts';
import { CancelledError, ClosedError, FullError, TimeoutError } from '../../base/errors.ts';
import { describe } from '../../callable/reference.ts';
import type { AnyFunction, Reference } from '../../callable/registry.ts';
import { EACH, MANY, ONE, SPREAD, STREAM } from '../channel/layout.ts';
import type { CarriedValue } from '../context.ts';
import { carriedValues } from '../context.ts';
import type { BrokenExecutor, WorkerDeath } from '../errors.ts';
import { WorkerLostError } from '../errors.ts';
import type { SubmitOptions } from '../options.ts';
import type { ExecutorEvents, ExecutorStatistics } from '../statistics.ts';
import type { CallEngine } from './call-engine.ts';
import { Crew, isUnasked } from './crew.ts';
import { Definitions } from './definitions.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Definition, Owner, Sink } from './job.ts';
import { Job, OVER } from './job.ts';
import type { Form } from '../worker/in-context.ts';
import { runInContext } from '../worker/in-context.ts';
import { limitsOf } from './limits.ts';
import type { Workshop } from './link.ts';
import { Recorder } from './recorder.ts';
import { Rooms } from './rooms.ts';
import type { EngineSettings } from './settings.ts';
import { checkWorkers } from './settings.ts';
import { Watch } from './watch.ts';
import type { Worker } from './worker.ts';

type BrokenClass = new (message: string, options?: { cause?: unknown }) => BrokenExecutor;

/** Who calls later, also once the engine is closed, until it has ended. */
export interface Holder {
  closing(): void;
  /** Nothing more is run. */
  ended(error: Error): void;
}

/** One pool of workers, whatever face it has. */
export class Engine implements CallEngine, Owner {
  readonly #settings: EngineSettings;
  readonly #workshop: Workshop;
  readonly #Broken: BrokenClass;
  readonly #definitions = new Definitions();
  readonly #recorder = new Recorder();
  readonly #dispatcher: Dispatcher;
  readonly #watch: Watch;
  readonly #crew: Crew;
  readonly #emitter = new EventEmitter();
  readonly #started = performance.now();
  // A pending promise alone does not keep a program alive.
  readonly #keepAlive = setInterval(() => {}, 2 ** 30).unref();
  readonly #rooms = new Rooms(() => this.#full());
  readonly #holders = new Set<Holder>();
  readonly #ended = deferred();
  #state: 'open' | 'closing' | 'closed' = 'open';
  /** Nothing more is to be run. */
  #ending = false;
  #broken: { readonly message: string; readonly cause: unknown } | undefined;
  #asleep = false;
  #dismissed = false;
  #admitting = false;
  #failure: (() => Error) | undefined;

  constructor(workshop: Workshop, settings: EngineSettings, Broken: BrokenClass) {
    this.#workshop = workshop;
    this.#settings = settings;
    this.#Broken = Broken;
    this.#dispatcher = new Dispatcher(settings.concurrency, this.#recorder, {
      busy: (busy) => this.#busy(busy),
      short: () => this.#crew.grow(),
      answered: (worker) => this.#answered(worker),
      timed: (worker, job) => this.#watch.timed(worker, job),
      over: () => this.#rooms.pass(),
    });
    this.#watch = new Watch({
      dispatcher: this.#dispatcher,
      recorder: this.#recorder,
      grace: settings.grace,
      concurrency: settings.concurrency,
      memoryLimit: settings.memoryLimit,
      workers: () => this.#crew.workers,
      kill: (worker) => this.#crew.kill(worker, 'SIGKILL'),
      timedOut: (worker, timeout) => this.#emit('timeout', { worker: worker.link.name, timeout }),
    });
    const { initializer } = settings;
    try {
      this.#crew = new Crew(
        workshop,
        settings.maxWorkers,
        { ...settings, initializer: initializer === undefined ? undefined : describe(initializer) },
        {
          starting: () => this.#watch.weighAll(),
          fits: (worker) => this.#watch.fits(worker),
          ready: (worker) => this.#dispatcher.add(worker),
          wanted: () =>
            !this.#ending && (this.#state === 'open' || this.#dispatcher.pending > 0 || this.#holders.size > 0),
          leaving: (worker) => this.#dispatcher.retire(worker),
          dismissed: (worker) => this.#dispatcher.remove(worker),
          lost: (worker, death, cause) => this.#lost(worker, death, cause),
          broken: (message, cause) => this.#break(message, cause),
          emit: (event, detail) => this.#emit(event, detail),
        },
      );
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#watch.weighAll();
    this.#sleep();
  }

  get maxWorkers(): number {
    return this.#crew.max;
  }

  /** Takes no more calls. */
  get closing(): boolean {
    return this.#state !== 'open';
  }

  /** Runs `fn(...args)`. What is wrong with function or arguments fails the sink. ClosedError, BrokenExecutor, FullError. */
  call(fn: AnyFunction, args: readonly unknown[], sink: Sink, options?: SubmitOptions): Job {
    const values = carriedValues();
    if (values !== undefined) return this.#inContext(values, fn, 'call', args, sink, options);
    const single = args.length === 1;
    const payload = single ? args[0] : args.length === 0 ? undefined : args;
    return this.#submit(fn, single ? ONE : MANY, payload, sink, options);
  }

  /** Calls `fn` with each of the items; the sink gets the list of results, or the first error. */
  chunk(fn: AnyFunction, items: readonly unknown[], form: 'each' | 'spread', sink: Sink, options?: SubmitOptions): Job {
    const values = carriedValues();
    if (values !== undefined) return this.#inContext(values, fn, form, items, sink, options);
    return this.#submit(fn, form === 'each' ? EACH : SPREAD, items, sink, options);
  }

  /** Who begins now and calls later may do so, with `chunkOf`, when it is closed too: then it is told, and waited for until `release`. */
  hold(holder: Holder): void {
    this.#holders.add(holder);
  }

  release(holder: Holder): void {
    if (this.#holders.delete(holder) && this.#state === 'closing') queueMicrotask(() => this.#dismiss());
  }

  /** As `chunk`, for one that holds it. */
  chunkOf(holder: Holder, fn: AnyFunction, items: readonly unknown[], sink: Sink): Job {
    this.#admitting = this.#state === 'closing' && this.#holders.has(holder);
    try {
      return this.chunk(fn, items, 'each', sink);
    } finally {
      this.#admitting = false;
    }
  }

  /** Runs a function that gives an iterator; each item goes to the sink, `ahead` of them without being asked. */
  stream(fn: AnyFunction, args: readonly unknown[], ahead: number, sink: Sink): Job {
    return this.#submit(fn, STREAM, [ahead, carriedValues(), ...args], sink, undefined);
  }

  room(options?: WaitOptions): Promise<void> {
    return this.#rooms.wait(options);
  }

  /** Settles when it is worth trying again after a FullError. */
  turn(): Promise<void> {
    return this.#rooms.turn();
  }

  async ready(options?: WaitOptions): Promise<void> {
    await withinBounds(this.#crew.settled(), options, 'the workers of a pool');
    if (this.#broken !== undefined) throw this.#brokenError();
  }

  resize(maxWorkers: number): void {
    this.#crew.resize(checkWorkers(maxWorkers));
    this.#rooms.pass();
  }

  /** Takes no more calls; the workers go when they are done. Idempotent. */
  close({ cancelQueued = false }: { readonly cancelQueued?: boolean } = {}): void {
    if (cancelQueued) this.#cancelQueued();
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#rooms.end(() => this.#closedError());
    for (const holder of this.#holders) holder.closing();
    this.#dismiss();
  }

  /** Ends the workers now; what is not done fails. */
  async terminate(
    signal: NodeJS.Signals,
    error: () => Error = () => new ClosedError('the pool was terminated'),
  ): Promise<void> {
    this.#end(error, signal);
    await this.#ended.promise;
  }

  /** Waits for the end. */
  async join(options: WaitOptions = {}): Promise<void> {
    this.#keepAlive.ref();
    try {
      await withinBounds(this.#ended.promise, options, 'the end of a pool');
    } catch (error) {
      throw error instanceof TimeoutError && this.#holders.size > 0 ? unfinished(this.#holders.size, error) : error;
    } finally {
      if (this.#dispatcher.pending === 0) this.#keepAlive.unref();
    }
  }

  isRunning(job: Job): boolean {
    return this.#dispatcher.isRunning(job);
  }

  revoke(job: Job, running: boolean): boolean {
    if (job.state === OVER || job.abandoned) return false;
    if (this.#dispatcher.revoke(job)) return true;
    if (!running) return false;
    this.#recorder.cancelled++;
    this.#watch.stop(job);
    return true;
  }

  tell(job: Job, reason: Error): void {
    if (job.state === OVER || job.abandoned) return;
    if (this.#dispatcher.revoke(job)) job.sink.fail(reason);
    else this.#watch.tell(job, reason);
  }

  statistics(): ExecutorStatistics {
    const recorder = this.#recorder;
    const workers = [...this.#crew.workers].filter((each) => each.state === 'ready');
    const time = performance.now() - this.#started;
    const { waiting, pending } = this.#dispatcher;
    return {
      workers: workers.length,
      idleWorkers: workers.filter((each) => each.inFlight === 0).length,
      queued: waiting,
      running: pending - waiting,
      submitted: recorder.submitted,
      completed: recorder.completed,
      failed: recorder.failed,
      cancelled: recorder.cancelled,
      timedOut: recorder.timedOut,
      lost: recorder.lost,
      stolen: recorder.stolen,
      recycled: this.#crew.recycled,
      died: recorder.died,
      utilisation: Math.min(1, recorder.busy / (time * Math.max(1, workers.length))),
      waitTime: recorder.waitTime.snapshot(),
      runTime: recorder.runTime.snapshot(),
    };
  }

  on<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): void {
    this.#emitter.on(event, listener);
  }

  off<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): void {
    this.#emitter.off(event, listener);
  }

  /** Sends a credit for items of a stream to the worker that has it. */
  credit(job: Job, items: number, send: (worker: Worker, id: number, items: number) => void): void {
    if (job.state !== OVER && job.place !== undefined) send(job.place as Worker, job.id, items);
  }

  #inContext(
    values: readonly CarriedValue[],
    fn: AnyFunction,
    form: Form,
    args: readonly unknown[],
    sink: Sink,
    options: SubmitOptions | undefined,
  ): Job {
    this.#checkOpen();
    let reference: Reference;
    try {
      ({ reference } = this.#definitions.of(fn));
    } catch {
      // Without a context: that says what is wrong.
      return this.#submit(fn, MANY, undefined, sink, options);
    }
    const called = [values, reference, form, args];
    return this.#submit(fn, MANY, called, sink, options, this.#definitions.within(runInContext, fn, called.length - 1));
  }

  #submit(
    fn: AnyFunction,
    mode: number,
    args: unknown,
    sink: Sink,
    options: SubmitOptions | undefined,
    definition?: Definition,
  ): Job {
    this.#checkOpen();
    this.#recorder.submitted++;
    let job: Job;
    try {
      job = new Job(this, definition ?? this.#definitions.of(fn), mode, sink);
    } catch (error) {
      job = new Job(this, nothing, mode, sink);
      job.state = OVER;
      this.#recorder.failed++;
      queueMicrotask(() => sink.fail(error));
      return job;
    }
    job.args = args;
    if (options !== undefined || this.#settings.timeout !== undefined) this.#limit(job, options ?? {});
    if (job.state !== OVER) this.#dispatcher.submit(job);
    return job;
  }

  #limit(job: Job, options: SubmitOptions): void {
    job.limits = limitsOf(options, this.#settings.timeout, this.#recorder.submitted);
    const { signal } = options;
    if (signal === undefined) return;
    if (!signal.aborted) return this.#watch.follow(job, signal);
    job.state = OVER;
    this.#recorder.cancelled++;
    job.sink.fail(cancelledBy(signal));
  }

  #checkOpen(): void {
    if (this.#admitting) return;
    if (this.#broken !== undefined || this.#state !== 'open') throw this.#closedError();
    if (this.#full()) throw new FullError(`the queue of the pool is full (maxQueue ${this.#settings.maxQueue})`);
  }

  #closedError(): Error {
    return this.#broken === undefined
      ? new ClosedError('cannot schedule new futures after shutdown')
      : this.#brokenError();
  }

  #full(): boolean {
    const { maxQueue, concurrency } = this.#settings;
    return maxQueue !== undefined && this.#dispatcher.pending >= maxQueue + this.#crew.max * concurrency;
  }

  #busy(busy: boolean): void {
    this.#watch.busy(busy);
    if (busy) this.#keepAlive.ref();
    else {
      this.#keepAlive.unref();
      if (this.#state === 'closing') queueMicrotask(() => this.#dismiss());
    }
  }

  #answered(worker: Worker): void {
    this.#watch.answered(worker);
    if (worker.state === 'leaving') {
      if (worker.inFlight === 0) this.#crew.dismiss(worker);
    } else this.#crew.answered(worker);
  }

  // Once nothing is left to do.
  #dismiss(): void {
    if (this.#dispatcher.pending > 0 || this.#holders.size > 0 || this.#dismissed) return;
    this.#dismissed = true;
    this.#crew.dismissAll();
    void this.#crew.gone().then(() => this.#finish());
  }

  #end(error: () => Error, signal: NodeJS.Signals): void {
    this.#ending = true;
    this.#failure = error;
    const holders = [...this.#holders];
    this.#holders.clear();
    this.close();
    this.#dispatcher.failAll(error, { running: true });
    for (const holder of holders) holder.ended(error());
    for (const worker of this.#crew.workers) this.#crew.kill(worker, signal);
  }

  #lost(worker: Worker, death: WorkerDeath, cause: unknown): void {
    this.#watch.gone(worker);
    if (isUnasked(worker) && !this.closing && this.#dispatcher.workers.includes(worker)) this.#recorder.died++;
    this.#dispatcher.lost(worker, (job, when) => {
      const why = worker.killed ?? cause;
      const message = `${death.worker} ${storyOf(death, why)} ${when} ${job.definition.name || 'a function'}`;
      return new WorkerLostError(message, death, why === undefined ? {} : { cause: why });
    });
    if (this.#failure !== undefined) this.#dispatcher.failAll(this.#failure, { running: true });
  }

  #break(message: string, cause: unknown): void {
    if (this.#broken !== undefined || this.#state === 'closed') return;
    this.#broken = { message, cause };
    this.#end(() => this.#brokenError(), 'SIGKILL');
  }

  #brokenError(): BrokenExecutor {
    const { message, cause } = this.#broken!;
    return new this.#Broken(`the pool is broken: ${message}`, { cause });
  }

  #cancelQueued(): void {
    this.#dispatcher.failAll(() => new CancelledError('cancelled by shutdown'), { running: false });
  }

  #finish(): void {
    this.#release();
    this.#ended.resolve();
  }

  #release(): void {
    this.#state = 'closed';
    clearInterval(this.#keepAlive);
    this.#dispatcher.close();
    this.#watch.close();
    this.#workshop.close();
  }

  // Sleeps until a worker rings. The flags come first and the look after them, or an answer between would wait for ever.
  #sleep(): void {
    if (this.#asleep || this.#state === 'closed') return;
    this.#asleep = true;
    const rings = this.#workshop.rings();
    for (const worker of this.#dispatcher.workers) worker.listening = true;
    if (this.#dispatcher.hasAnswers()) {
      this.#asleep = false;
      return void setImmediate(this.#wake);
    }
    this.#workshop.sleep(rings, this.#wake);
  }

  readonly #wake = (): void => {
    this.#asleep = false;
    if (this.#state === 'closed') return;
    for (const worker of this.#dispatcher.workers) worker.listening = false;
    if (this.#dispatcher.drain()) this.#sleep();
    else setImmediate(this.#wake);
  };

  #emit<E extends keyof ExecutorEvents>(event: E, detail: ExecutorEvents[E]): boolean {
    return this.#emitter.emit(event, detail);
  }
}

// One over endless items is the usual case.
function unfinished(holders: number, { message, timeout }: TimeoutError): TimeoutError {
  const which = holders === 1 ? 'an imap is' : `${holders} imaps are`;
  return new TimeoutError(`${message}: ${which} not through the items; return() of it ends one, terminate() all`, {
    timeout,
  });
}

const nothing = { number: -1, name: '', reference: { kind: 'source', hash: '', name: '', source: '' } } as const;

function storyOf({ exitcode, signal, outOfMemory }: WorkerDeath, killed: unknown): string {
  if (killed instanceof Error && signal === 'SIGKILL' && !outOfMemory) return `was ended (${killed.message})`;
  if (exitcode === null && signal === null) return 'cannot be ended, native code in it blocks,';
  const memory = outOfMemory ? 'ran out of memory' : undefined;
  const uncaught = killed instanceof Error ? ` (uncaught ${killed.name}: ${killed.message})` : '';
  const end =
    signal === null ? `exited with code ${exitcode}${outOfMemory ? '' : uncaught}` : `was killed by ${signal}`;
  return memory === undefined ? end : `${memory} (${killed instanceof Error ? killed.message : end})`;
}
