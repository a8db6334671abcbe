import { checkSeconds } from '../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError, UnsupportedError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { Callback } from './callback.ts';
import type { Executor } from './executor.ts';
import { defaultExecutor } from './executor.ts';
import { Future } from './future.ts';
import { Handle, TimerHandle } from './handle.ts';
import type { Kernel } from './kernel.ts';
import type { Report } from './report.ts';
import { defaultReport } from './report.ts';
import { currentKernel } from './scope.ts';
import { listenTo } from './signal-listener.ts';
import type { TaskOptions } from './task.ts';
import { Task } from './task.ts';
import { checkTime } from './timeout.ts';
import type { Call } from './wait.ts';
import { inCall, Wait } from './wait.ts';

/** Told of errors that reach nobody, and of what is wrong with a task. */
export type ExceptionHandler = (loop: EventLoop, context: Report) => void;

/** The loop this code runs on: that of the `run` around it, else the program's own. (asyncio.get_running_loop) */
export function getRunningLoop(): EventLoop {
  return loopOf(currentKernel());
}

/** @internal */
export function loopOf(kernel: Kernel): EventLoop {
  kernel.face ??= new EventLoop(kernel);
  return kernel.face as EventLoop;
}

/**
 * Runs a blocking function on a thread of the loop's executor. Cancelling the task ends the wait, not the function.
 * Throws UnsupportedError if there is no executor. (asyncio.to_thread)
 *
 * @example
 * const hash = await toThread((text: string) => expensiveHash(text), 'abc');
 */
export function toThread<A extends unknown[], T>(
  fn: (...args: A) => T | PromiseLike<T>,
  ...args: A
): Promise<Awaited<T>> {
  return getRunningLoop().runInExecutor(undefined, fn, ...args);
}

/** Callbacks, timers, futures and the executor of one loop. (asyncio.AbstractEventLoop) */
export class EventLoop {
  readonly #kernel: Kernel;
  #executor: Executor | undefined;
  #executorShutDown = false;
  #handler: ExceptionHandler | undefined;
  readonly #signals = new Map<NodeJS.Signals, () => void>();
  readonly #owned = new Set<() => void>();

  /** @internal */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Seconds on the clock of this loop, with an arbitrary zero. */
  time(): number {
    return this.#kernel.clock.now();
  }

  /** Calls `fn` at the next turn of the loop, in the order of the calls. */
  callSoon<A extends unknown[]>(fn: (...args: A) => void, ...args: A): Handle {
    const callback = this.#callback(fn, args);
    this.#kernel.soon(callback);
    return new Handle(callback);
  }

  /** Calls `fn` in `delay` seconds. */
  callLater<A extends unknown[]>(delay: number, fn: (...args: A) => void, ...args: A): TimerHandle {
    checkSeconds('delay', delay);
    return this.callAt(this.time() + delay, fn, ...args);
  }

  /** Calls `fn` when `time()` has reached `when`, soon if it has. */
  callAt<A extends unknown[]>(when: number, fn: (...args: A) => void, ...args: A): TimerHandle {
    checkTime('when', when);
    const callback = this.#callback(fn, args);
    const { clock } = this.#kernel;
    let release: (() => void) | undefined;
    const timer =
      when === Infinity
        ? undefined
        : clock.setTimer(when - clock.now(), () => {
            release?.();
            callback.run();
          });
    const handle = new TimerHandle(callback, when, timer, () => release?.());
    release = this.own(() => handle.cancel());
    return handle;
  }

  createFuture<T>(): Future<T> {
    return new Future<T>(this.#kernel);
  }

  createTask<T>(fn: () => T | PromiseLike<T>, options: TaskOptions = {}): Task<T> {
    checkOptions(options);
    return new Task(fn, this.#kernel, options.name);
  }

  /**
   * Runs `fn` in an executor, by default the loop's; cancelling the task ends the wait, not the function. Throws
   * UnsupportedError if there is none, InvalidStateError after `shutdownDefaultExecutor`.
   */
  runInExecutor<A extends unknown[], T>(
    executor: Executor | undefined,
    fn: (...args: A) => T | PromiseLike<T>,
    ...args: A
  ): Promise<Awaited<T>> {
    if (typeof fn !== 'function') return Promise.reject(new InvalidArgumentError('fn', fn, 'a function'));
    return inCall((call) => this.#execute(executor, fn, args, call));
  }

  async #execute<A extends unknown[], T>(
    executor: Executor | undefined,
    fn: (...args: A) => T | PromiseLike<T>,
    args: A,
    call: Call,
  ): Promise<Awaited<T>> {
    const work = (executor ?? this.#defaultExecutor()).submit(fn, ...args);
    const wait = new Wait<Awaited<T>>(`an executor (${fn.name || 'a function'})`, undefined, { external: true });
    const { clock } = this.#kernel;
    const held = clock.hold === undefined ? work : clock.hold(work);
    held.then(
      (value) => wait.resolve(value as Awaited<T>),
      (error: unknown) => wait.reject(error),
    );
    return wait.partOf(call).promise;
  }

  setDefaultExecutor(executor: Executor): void {
    if (typeof (executor as Executor | undefined)?.submit !== 'function') {
      throw new InvalidArgumentError('executor', executor, 'an executor, with a method submit');
    }
    this.#executor = executor;
  }

  /** Ends the loop's executor, which takes no work from then on; `run` does it by itself. */
  async shutdownDefaultExecutor(): Promise<void> {
    this.#executorShutDown = true;
    const executor = this.#executor;
    this.#executor = undefined;
    await executor?.shutdown?.();
  }

  /** What is told of errors that reach nobody; undefined for the default, which raises an unhandled rejection. */
  setExceptionHandler(handler: ExceptionHandler | undefined): void {
    if (handler !== undefined && typeof handler !== 'function') {
      throw new InvalidArgumentError('handler', handler, 'a function or undefined');
    }
    this.#handler = handler;
    this.#kernel.onReport = handler === undefined ? undefined : (report) => handler(this, report);
  }

  getExceptionHandler(): ExceptionHandler | undefined {
    return this.#handler;
  }

  callExceptionHandler(context: Report): void {
    this.#kernel.report(context);
  }

  defaultExceptionHandler(context: Report): void {
    defaultReport(context);
  }

  /** Calls `fn` on this loop whenever the process gets the signal; replaces an earlier one. */
  addSignalHandler<A extends unknown[]>(signal: NodeJS.Signals, fn: (...args: A) => void, ...args: A): void {
    const callback = this.#callback(fn, args);
    this.removeSignalHandler(signal);
    this.#signals.set(
      signal,
      listenTo(signal, () => callback.run()),
    );
  }

  /** False if there was none. */
  removeSignalHandler(signal: NodeJS.Signals): boolean {
    this.#signals.get(signal)?.();
    return this.#signals.delete(signal);
  }

  isRunning(): boolean {
    return !this.#kernel.closed;
  }

  isClosed(): boolean {
    return this.#kernel.closed;
  }

  /** Whether slow callbacks, tasks never awaited and tasks destroyed while pending are reported. */
  getDebug(): boolean {
    return this.#kernel.debug;
  }

  /** Seconds from which on debug mode reports that code kept the loop busy (default 0.1). */
  get slowCallbackDuration(): number {
    return this.#kernel.slowCallbackDuration;
  }

  set slowCallbackDuration(seconds: number) {
    this.#kernel.slowCallbackDuration = checkSeconds('slowCallbackDuration', seconds);
  }

  /** Calls `release` when the loop ends, unless the returned function is called before: no socket outlives its run. */
  own(release: () => void): () => void {
    this.#owned.add(release);
    return () => this.#owned.delete(release);
  }

  /** @internal Signal handlers, the executor and what is owned end with the loop. */
  async close(): Promise<void> {
    for (const release of this.#owned) this.#release(release);
    this.#owned.clear();
    for (const signal of this.#signals.keys()) this.removeSignalHandler(signal);
    await this.shutdownDefaultExecutor();
  }

  // One that fails must not keep the others, nor the loop, from ending.
  #release(release: () => void): void {
    try {
      release();
    } catch (exception) {
      this.#kernel.report({ message: 'what the loop owns could not be released', exception });
    }
  }

  #callback<A extends unknown[]>(fn: (...args: A) => void, args: A): Callback {
    if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, 'a function');
    if (this.#kernel.closed) throw new InvalidStateError('Event loop is closed');
    return new Callback(this.#kernel, args.length === 0 ? fn : () => fn(...args));
  }

  #defaultExecutor(): Executor {
    if (this.#executorShutDown) throw new InvalidStateError('Executor shutdown has been called');
    this.#executor ??= defaultExecutor();
    if (this.#executor !== undefined) return this.#executor;
    throw new UnsupportedError(
      'no executor: import simul/futures for the thread pool, or give one to runInExecutor or setDefaultExecutor',
    );
  }
}
