import { inspect } from 'node:util';
import type { WaitOptions } from '../base/deadline.ts';
import { CancelledError, InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { currentScope, defaultKernel } from '../asyncio/scope.ts';
import { watchForLoss } from '../asyncio/unhandled.ts';
import { checkWait, Wait } from '../asyncio/wait.ts';

const PENDING = 0;
const RUNNING = 1;
const FINISHED = 2;
const FAILED = 3;
const CANCELLED = 4;

/** What stands behind a future: asked, not told, whether it runs, because nobody asks about most. @internal */
export interface Work {
  /** Whether it has begun and not ended. */
  running(): boolean;
  /** Takes it back, so that the future may be settled as cancelled; false if it runs and `running` is not set. */
  revoke(running: boolean): boolean;
}

/** How `cancel` is to deal with a call that runs already. */
export interface CancelOptions {
  /** Cancels it all the same: its own signal fires and, after the executor's `grace`, its worker is ended. */
  readonly running?: boolean;
}

/**
 * The result of a call that an executor runs elsewhere; await it. A failure that nobody looks at becomes an unhandled
 * rejection. Awaiting it in an asyncio task that is cancelled cancels it, if it has not begun. (concurrent.futures.Future)
 *
 * @example
 * const future = pool.submit((n: number) => n * n, 12);
 * await future; // 144
 */
export class Future<T> implements Promise<T> {
  #state = PENDING;
  /** The value or the error. */
  #result: unknown = undefined;
  #work: Work | undefined;
  // Of the promise. Fields and not an object: there are as many futures as calls.
  #resolve: ((value: unknown) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;
  #promise: Promise<unknown> | undefined = undefined;
  // Of `never`, so that a future of something is one of something wider.
  #callbacks: ((future: never) => void)[] | undefined = undefined;
  #looked: boolean | (() => void) = false;

  /** By executors, and in tests; others get one from `submit`. */
  constructor(work?: Work) {
    this.#work = work;
  }

  get [Symbol.toStringTag](): string {
    return 'Future';
  }

  /**
   * Takes the call back if it has not begun, at once: true. False if it runs or is done; with `running` a call that runs is
   * cancelled too. Idempotent.
   */
  cancel({ running = false }: CancelOptions = {}): boolean {
    if (this.#state === CANCELLED) return true;
    if (this.#state > RUNNING || (this.#state === RUNNING && this.#work === undefined)) return false;
    if (this.#work?.revoke(running) === false) return false;
    // What was told to stop may have settled it.
    if (this.#state <= RUNNING) this.#end(CANCELLED, new CancelledError());
    return this.#state === CANCELLED;
  }

  cancelled(): boolean {
    return this.#state === CANCELLED;
  }

  /** Whether the call has begun and is not done. */
  running(): boolean {
    return this.#state === RUNNING || (this.#state === PENDING && this.#work?.running() === true);
  }

  done(): boolean {
    return this.#state > RUNNING;
  }

  /**
   * Waits for the result; rejects with what the call threw, CancelledError, WorkerLostError, BrokenExecutor; TimeoutError
   * if `timeout` seconds pass, which ends the wait and not the call.
   */
  result(options?: WaitOptions): Promise<T> {
    return this.#wait(options);
  }

  /** Waits and gives what the call threw, undefined if nothing. Rejects with CancelledError, TimeoutError. */
  async exception(options?: WaitOptions): Promise<unknown> {
    try {
      await this.#wait(options);
    } catch (error) {
      if (this.#state === FAILED) return this.#result;
      throw error;
    }
    return undefined;
  }

  /** Calls `fn` with this future when it is done, at once if it is. What `fn` throws is told by a warning. */
  addDoneCallback(fn: (future: this) => void): void {
    if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, 'a function');
    if (this.#state > RUNNING) return this.#call(fn);
    this.#callbacks ??= [];
    this.#callbacks.push(fn);
  }

  /** Takes back every registration of `fn`; returns how many there were. */
  removeDoneCallback(fn: (future: this) => void): number {
    const before = this.#callbacks?.length ?? 0;
    this.#callbacks = this.#callbacks?.filter((each) => each !== fn);
    return before - (this.#callbacks?.length ?? 0);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- only ever returned synchronously, where awaiting it is the point
  then<R1 = T, R2 = never>(
    onFulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    onRejected?: ((reason: unknown) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    if (currentScope() === undefined) return this.#join().then(onFulfilled, onRejected);
    return this.#wait(undefined, () => this.cancel()).then(onFulfilled, onRejected);
  }

  catch<R = never>(onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R> {
    return this.then(undefined, onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#wait(undefined, () => this.cancel()).finally(onFinally);
  }

  /** For executors: it begins; false if it was cancelled. InvalidStateError if it runs or is done. */
  setRunningOrNotifyCancel(): boolean {
    if (this.#state === CANCELLED) return false;
    if (this.#state !== PENDING) throw new InvalidStateError('the future runs or is done already');
    this.#state = RUNNING;
    return true;
  }

  /** For executors. InvalidStateError if it is done. */
  setResult(value: T): void {
    if (this.#state > RUNNING) throw new InvalidStateError('the future is done already');
    this.#end(FINISHED, value);
  }

  /** For executors. InvalidStateError if it is done. */
  setException(error: unknown): void {
    if (this.#state > RUNNING) throw new InvalidStateError('the future is done already');
    this.#end(FAILED, error);
  }

  /** @internal The engine's way: what comes after a cancellation is dropped. */
  fulfil(value: unknown): void {
    if (this.#state <= RUNNING) this.#end(FINISHED, value);
  }

  /** @internal */
  fail(error: unknown): void {
    if (this.#state <= RUNNING) this.#end(error instanceof CancelledError ? CANCELLED : FAILED, error);
  }

  /** @internal What it stands for, once known. */
  follow(work: Work): this {
    this.#work = work;
    return this;
  }

  /** @internal */
  failed(): boolean {
    return this.#state === FAILED;
  }

  /** @internal The value or the error. */
  outcome(): unknown {
    return this.#result;
  }

  /** @internal Somebody takes responsibility for a failure. */
  look(): void {
    const looked = this.#looked;
    this.#looked = true;
    if (typeof looked === 'function') looked();
  }

  #end(state: number, result: unknown): void {
    this.#state = state;
    this.#result = result;
    this.#work = undefined;
    if (this.#resolve !== undefined) {
      if (state === FINISHED) this.#resolve(result);
      else this.#reject!(result);
      this.#resolve = undefined;
      this.#reject = undefined;
    }
    if (state === FAILED && this.#looked === false) this.#watch();
    const callbacks = this.#callbacks;
    if (callbacks === undefined) return;
    this.#callbacks = undefined;
    for (const fn of callbacks) this.#call(fn);
  }

  #watch(): void {
    this.#looked = watchForLoss(defaultKernel, this, { name: 'a future', error: this.#result });
  }

  #call(fn: (future: never) => void): void {
    try {
      fn(this as never);
    } catch (error) {
      process.emitWarning(`a done callback of a future threw: ${inspect(error)}`, 'SimulWarning');
    }
  }

  #join(): Promise<T> {
    if (this.#looked !== true) this.look();
    this.#promise ??= this.#makePromise();
    return this.#promise as Promise<T>;
  }

  #makePromise(): Promise<unknown> {
    if (this.#state === FINISHED) return Promise.resolve(this.#result);
    if (this.#state > FINISHED) return Promise.reject(this.#result);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  #wait(options: WaitOptions | undefined, abandon?: () => void): Promise<T> {
    checkWait(options);
    if (options === undefined && currentScope() === undefined) return this.#join();
    const wait = new Wait<T>('a call of an executor', options, {
      external: true,
      ...(abandon === undefined ? {} : { abandon }),
    });
    this.#join().then(
      (value) => wait.resolve(value),
      (error: unknown) => wait.reject(error),
    );
    return wait.promise;
  }
}
