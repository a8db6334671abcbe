import { setMaxListeners } from 'node:events';
import type { Clock, ClockTimer } from '../base/clock.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { cancelledBy, checkSeconds } from '../base/deadline.ts';
import type { CancelledError } from '../base/errors.ts';
import { TimeoutError } from '../base/errors.ts';
import type { Kernel } from './kernel.ts';
import type { Scope, Waiting } from './scope.ts';
import { currentScope, defaultKernel } from './scope.ts';

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
  #settled = false;
  readonly #scope: Scope | undefined;
  readonly #kind: WaitKind<T> | undefined;
  #accept!: (value: T | PromiseLike<T>) => void;
  #refuse!: (error: unknown) => void;
  #limits: Limits | undefined = undefined;

  constructor(what: string, options?: WaitOptions, kind?: WaitKind<T>) {
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

  cancel(error: CancelledError): boolean {
    if (this.#settled) return false;
    if (this.#kind?.onCancel?.(error) === true) return true;
    return this.#end(error);
  }

  #settle(): void {
    this.#settled = true;
    this.kernel.activity++;
    this.#scope?.leave(this);
    this.#limits?.clear();
  }

  #begin(options: WaitOptions | undefined): void {
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
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;

  constructor(what: string, { timeout, signal }: WaitOptions, clock: Clock, end: (error: Error) => void) {
    if (signal !== undefined) {
      this.#signal = signal;
      this.#onAbort = () => end(cancelledBy(signal));
      // Many waits on one signal are the normal case, not the leak Node would warn of.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', this.#onAbort);
    }
    if (timeout === undefined || timeout === Infinity) return;
    const late = () => end(new TimeoutError(`waiting for ${what} timed out after ${timeout} s`, { timeout }));
    this.#timer = clock.setTimer(timeout, late);
  }

  clear(): void {
    this.#timer?.cancel();
    if (this.#onAbort !== undefined) this.#signal!.removeEventListener('abort', this.#onAbort);
  }
}

/** Refuses a bad `timeout` before anything has changed. */
export function checkWait(options: WaitOptions | undefined): void {
  if (options?.timeout !== undefined) checkSeconds('timeout', options.timeout);
}
