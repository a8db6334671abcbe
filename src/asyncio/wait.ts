import { onAbort } from '../base/abort.ts';
import type { Clock, ClockTimer } from '../base/clock.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { cancelledBy, checkSeconds, Deadline } from '../base/deadline.ts';
import type { CancelledError } from '../base/errors.ts';
import { InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import type { Kernel } from './kernel.ts';
import type { Scope, Waiting } from './scope.ts';
import { currentKernel, currentScope, defaultKernel, owesCancellation } from './scope.ts';

/** Options of one of several waits that share the timeout of the call they belong to. */
export interface BoundedOptions extends WaitOptions {
  readonly deadline?: Deadline | undefined;
}

/** The options for each wait of a call that makes several: the timeout is for all of them together. */
export function shareTimeout(options: WaitOptions | undefined): BoundedOptions | undefined {
  checkWait(options);
  if (options?.timeout === undefined) return options;
  return { ...options, deadline: Deadline.after(options.timeout, currentKernel().clock) };
}

/**
 * A call that makes several waits, or one and something after it. The cancellation of a wait reaches its caller through
 * the promise of the call, so it is that promise which may have been begun early and never be awaited.
 */
export interface Call {
  promise: Promise<unknown> | undefined;
}

/** Runs the steps of such a call; each of its waits names the call. */
export function inCall<T>(steps: (call: Call) => Promise<T>): Promise<T> {
  const call: Call = { promise: undefined };
  const promise = steps(call);
  call.promise = promise;
  return promise;
}

/** How a wait differs from the plain one. */
export interface WaitKind<T> {
  /** Undoes what the wait holds elsewhere (a place in a queue, a timer) when it ends without being served. */
  abandon?(wait: Wait<T>): void;
  /** Takes a cancellation instead of the wait, which then goes on; false if it cannot. */
  onCancel?(error: CancelledError): boolean;
  readonly external?: boolean;
}

/**
 * One waiting call: a promise that is served by `resolve` or `reject`, or ends by the cancellation of its scope, its
 * timeout or its signal, whichever comes first. What comes first decides at once, even if the waiting code runs only
 * later: a wait that was served is never cancelled, so nothing handed over can be lost.
 */
export class Wait<T> implements Waiting {
  readonly promise: Promise<T>;
  readonly what: string;
  previous: Waiting | undefined = undefined;
  next: Waiting | undefined = undefined;
  #call: Call | undefined = undefined;
  #settled = false;
  readonly #scope: Scope | undefined;
  readonly #kind: WaitKind<T> | undefined;
  #accept!: (value: T | PromiseLike<T>) => void;
  #refuse!: (error: unknown) => void;
  #limits: Limits | undefined = undefined;

  constructor(what: string, options?: BoundedOptions, kind?: WaitKind<T>) {
    this.what = what;
    this.#kind = kind;
    this.#scope = currentScope();
    this.promise = new Promise<T>((accept, refuse) => {
      this.#accept = accept;
      this.#refuse = refuse;
    });
    const { kernel } = this;
    kernel.activity++;
    kernel.clock.touch?.();
    if (kind?.external === true) kernel.clock.outside?.(1);
    const owed = this.#scope?.takeOwed();
    // What ends here has no place in a queue yet: nothing to abandon.
    if (owed !== undefined && kind?.onCancel?.(owed) !== true) this.reject(owed);
    else this.#begin(options);
  }

  get external(): boolean {
    return this.#kind?.external === true;
  }

  get clock(): Clock {
    return this.kernel.clock;
  }

  get kernel(): Kernel {
    return this.#scope?.kernel ?? defaultKernel;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Names the call this is a step of. */
  partOf(call: Call): this {
    this.#call = call;
    return this;
  }

  resolve(value: T): boolean {
    if (this.#settled) return false;
    this.#settle();
    const scheduler = this.#scope?.kernel.scheduler;
    if (scheduler === undefined) this.#accept(value);
    else scheduler.add({ run: () => this.#accept(value) });
    return true;
  }

  reject(error: unknown): boolean {
    if (this.#settled) return false;
    this.#settle();
    const scheduler = this.#scope?.kernel.scheduler;
    if (scheduler === undefined) this.#refuse(error);
    else scheduler.add({ run: () => this.#refuse(error) });
    return true;
  }

  /** Served at the next turn of the event loop, unless it ends before. */
  resolveSoon(value: T): void {
    this.kernel.soon({ run: () => this.resolve(value) });
  }

  /** Its scope is over: it ends, so that it takes nothing from others; nobody has to hear of it. */
  leaveBehind(error: CancelledError): void {
    if (this.#settled || this.#kind?.onCancel !== undefined) return;
    this.#pardon();
    this.#end(error);
  }

  cancel(error: CancelledError): boolean {
    if (this.#settled) return false;
    this.#pardon();
    if (this.#kind?.onCancel?.(error) === true) return true;
    return this.#end(error);
  }

  // It may have been begun early, and what was to await it is cancelled elsewhere: no error is lost by that.
  #pardon(): void {
    this.promise.catch(() => {});
    this.#call?.promise?.catch(() => {});
  }

  #settle(): void {
    this.#settled = true;
    const { kernel } = this;
    kernel.activity++;
    if (this.#kind?.external === true) kernel.clock.outside?.(-1);
    this.#scope?.leave(this);
    this.#limits?.clear();
  }

  #begin(options: BoundedOptions | undefined): void {
    this.#scope?.enter(this);
    if (options === undefined) return;
    const { signal } = options;
    if (signal?.aborted === true) this.reject(cancelledBy(signal));
    else this.#limits = new Limits(this.what, options, this.clock, (error) => this.#end(error));
  }

  #end(error: Error): boolean {
    if (!this.reject(error)) return false;
    this.#kind?.abandon?.(this);
    return true;
  }
}

/** The timer and the abort listener of one wait. */
class Limits {
  readonly #timer: ClockTimer | undefined;
  readonly #forget: (() => void) | undefined;

  constructor(what: string, options: BoundedOptions, clock: Clock, end: (error: Error) => void) {
    const { timeout, signal, deadline } = options;
    if (signal !== undefined) this.#forget = onAbort(signal, () => end(cancelledBy(signal)));
    if (timeout === undefined || timeout === Infinity) return;
    const late = () => end(new TimeoutError(`waiting for ${what} timed out after ${timeout} s`, { timeout }));
    this.#timer = clock.setTimer(deadline === undefined ? timeout : deadline.left, late);
  }

  clear(): void {
    this.#timer?.cancel();
    this.#forget?.();
  }
}

/** Refuses bad options before anything has changed. */
export function checkWait(options: WaitOptions | undefined): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError('options', options, 'an object with timeout and signal');
  }
  const { timeout, signal } = options;
  if (timeout !== undefined) checkSeconds('timeout', timeout);
  if (signal !== undefined && !isSignal(signal)) throw new InvalidArgumentError('signal', signal, 'an AbortSignal');
}

/** Whether a call that could go on at once must make a wait all the same, since that ends at once in an error. */
export function mustWait(options: WaitOptions | undefined): boolean {
  return options?.signal?.aborted === true || owesCancellation();
}

// Also that of another realm or a polyfill, for which instanceof says no.
function isSignal(signal: unknown): boolean {
  return typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal;
}
