import { CancelledError, InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { Callback } from './callback.ts';
import type { Kernel } from './kernel.ts';
import { currentKernel, currentScope, owesCancellation } from './scope.ts';
import { watchForLoss } from './unhandled.ts';
import { Wait } from './wait.ts';

type Outcome = 'pending' | 'finished' | 'failed' | 'cancelled';

/** Told at once, in the order of registration, when a future is done. */
export interface Observer {
  notify(future: Future<unknown>): void;
}

/**
 * A result that is not there yet, set by whoever made it. Awaiting one inside a task is a waiting call: cancelling the
 * task cancels the future. A failure that nobody looks at becomes an unhandled rejection. (asyncio.Future)
 *
 * @example
 * const future = getRunningLoop().createFuture<number>();
 * setImmediate(() => future.setResult(42));
 * await future; // 42
 */
export class Future<T> implements PromiseLike<T> {
  protected readonly kernel: Kernel;
  #outcome: Outcome = 'pending';
  /** The value, or the error. */
  #result: unknown = undefined;
  /** Whether somebody has looked, or what to call when somebody does. */
  #looked: boolean | (() => void) = false;
  // Mostly there is one.
  #observers: Observer | Observer[] | undefined = undefined;

  constructor(kernel: Kernel = currentKernel()) {
    this.kernel = kernel;
  }

  done(): boolean {
    return this.#outcome !== 'pending';
  }

  cancelled(): boolean {
    return this.#outcome === 'cancelled';
  }

  /** The result; throws the failure, CancelledError, or InvalidStateError while it is not done. */
  result(): T {
    this.look();
    if (this.#outcome === 'finished') return this.#result as T;
    if (this.#outcome === 'pending') throw new InvalidStateError('Result is not set.');
    throw this.#result;
  }

  /** The failure, or undefined if there is none; throws as `result` does if cancelled or not done. */
  exception(): unknown {
    this.look();
    if (this.#outcome === 'pending') throw new InvalidStateError('Exception is not set.');
    if (this.#outcome === 'cancelled') throw this.#result;
    return this.#outcome === 'failed' ? this.#result : undefined;
  }

  /** Ends it as cancelled; false if it is done already. */
  cancel(message?: string): boolean {
    if (this.done()) return false;
    this.settle('cancelled', new CancelledError(message));
    return true;
  }

  setResult(value: T): void {
    if (this.done()) throw new InvalidStateError('invalid state: the future is done already');
    this.settle('finished', value);
  }

  setException(error: unknown): void {
    if (this.done()) throw new InvalidStateError('invalid state: the future is done already');
    this.settle('failed', error);
  }

  /** Calls `fn` with this future, through the loop, once it is done. */
  addDoneCallback(fn: (future: this) => void): void {
    if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, 'a function');
    const callback = new Callback(this.kernel, () => fn(this));
    if (this.done()) this.kernel.start(callback);
    else this.observe(new DoneCallback(fn, this.kernel, callback));
  }

  /** Takes back every registration of `fn` and returns how many there were. */
  removeDoneCallback(fn: (future: this) => void): number {
    const registered = this.#observerList().filter((each) => each instanceof DoneCallback && each.fn === fn);
    for (const observer of registered) this.unobserve(observer);
    return registered.length;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- only ever returned synchronously, where awaiting it is the point
  then<R1 = T, R2 = never>(
    onFulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    onRejected?: ((reason: unknown) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    return this.#join().then(onFulfilled, onRejected);
  }

  catch<R = never>(onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R> {
    return this.#join().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#join().finally(onFinally);
  }

  /** What a task that awaits this waits for, in a task tree. */
  get label(): string {
    return 'a future';
  }

  /** @internal Settled by something outside the loop. */
  get external(): boolean {
    return false;
  }

  /** @internal */
  succeeded(): boolean {
    return this.#outcome === 'finished';
  }

  /** @internal Done with an error that is no cancellation. */
  failed(): boolean {
    return this.#outcome === 'failed';
  }

  /** @internal The failure or cancellation. */
  reason(): unknown {
    return this.#result;
  }

  /** @internal */
  observe(observer: Observer): void {
    if (this.#observers === undefined) this.#observers = observer;
    else if (Array.isArray(this.#observers)) this.#observers.push(observer);
    else this.#observers = [this.#observers, observer];
  }

  /** @internal */
  unobserve(observer: Observer): void {
    const left = this.#observerList().filter((each) => each !== observer);
    this.#observers = left.length === 0 ? undefined : left;
  }

  /** @internal Somebody takes responsibility for a failure. */
  look(): void {
    const looked = this.#looked;
    this.#looked = true;
    if (typeof looked === 'function') looked();
  }

  protected get looked(): boolean {
    return this.#looked !== false;
  }

  protected settle(outcome: 'finished', value: T): void;
  protected settle(outcome: 'failed' | 'cancelled', error: unknown): void;
  protected settle(outcome: Exclude<Outcome, 'pending'>, result: unknown): void {
    this.#outcome = outcome;
    this.#result = result;
    if (outcome === 'failed' && this.#looked === false) this.#watch();
    const observers = this.#observers;
    this.#observers = undefined;
    if (Array.isArray(observers)) for (const observer of observers) observer.notify(this);
    else observers?.notify(this);
  }

  #observerList(): Observer[] {
    if (Array.isArray(this.#observers)) return this.#observers;
    return this.#observers === undefined ? [] : [this.#observers];
  }

  #watch(): void {
    if (this.#result instanceof CancelledError) return;
    this.#looked = watchForLoss(this.kernel, this, { name: this.label, error: this.#result });
  }

  #join(): Promise<T> {
    this.look();
    if (this.#outcome === 'finished') {
      return owesCancellation() ? new Wait<T>(this.label).promise : Promise.resolve(this.#result as T);
    }
    if (this.#outcome !== 'pending') return Promise.reject(this.#result);
    if ((currentScope()?.task as unknown) === this) {
      return Promise.reject(new InvalidStateError('Task cannot await on itself'));
    }
    const { external } = this;
    const wait = new Wait<T>(this.label, undefined, { external, onCancel: (error) => this.cancel(error.message) });
    const notify = () => {
      if (this.#outcome === 'finished') wait.resolve(this.#result as T);
      else wait.reject(this.#result);
    };
    this.observe({ notify });
    return wait.promise;
  }
}

/** What a user added: it runs through the loop. */
class DoneCallback implements Observer {
  readonly fn: unknown;
  readonly #kernel: Kernel;
  readonly #callback: Callback;

  constructor(fn: unknown, kernel: Kernel, callback: Callback) {
    this.fn = fn;
    this.#kernel = kernel;
    this.#callback = callback;
  }

  notify(): void {
    this.#kernel.start(this.#callback);
  }
}
