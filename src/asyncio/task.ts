import { isThenable } from '../base/thenable.ts';
import { CancelledError, InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import type { Step } from './batch.ts';
import { isCancellation } from './cancellation.ts';
import { Future } from './future.ts';
import type { Kernel } from './kernel.ts';
import type { TaskEntry } from './registry.ts';
import { currentKernel, currentScope, runIn, Scope } from './scope.ts';
import { forgetUnawaited, watchUnawaited } from './unawaited.ts';

/** What a task is called. */
export interface TaskOptions {
  /** Shown in task trees, errors and warnings (default `Task-1`, `Task-2`, …). */
  readonly name?: string | undefined;
}

/**
 * Starts `fn` as a task of its own: it runs concurrently, can be cancelled, and is awaited like a promise. Choose a
 * TaskGroup where the tasks belong to a piece of work, which is nearly always. A plain function counts as one that
 * finishes at once; a promise is refused, since what it stands for runs already and cannot be cancelled.
 * Throws InvalidArgumentError; InvalidStateError once the loop is closed. (asyncio.create_task)
 *
 * @example
 * const task = createTask(async () => { await sleep(1); return 'done'; }, { name: 'nap' });
 * await task; // 'done'
 */
export function createTask<T>(fn: () => T | PromiseLike<T>, options: TaskOptions = {}): Task<T> {
  checkOptions(options);
  return new Task(fn, currentKernel(), options.name);
}

/** The task that runs this code; undefined in a callback and outside of tasks. (asyncio.current_task) */
export function currentTask(): Task<unknown> | undefined {
  return currentScope()?.task as Task<unknown> | undefined;
}

/** The tasks of this loop that are not done. (asyncio.all_tasks) */
export function allTasks(): Set<Task<unknown>> {
  return new Set(currentKernel().tasks as Iterable<Task<unknown>>);
}

/** A function that runs on the event loop; made by `createTask` or `TaskGroup.createTask`. (asyncio.Task) */
export class Task<T> extends Future<T> implements Step, TaskEntry {
  /** @internal Links of the registry. */
  before: TaskEntry | undefined;
  /** @internal */
  after: TaskEntry | undefined;
  /** @internal */
  readonly scope: Scope;
  #parent: Task<unknown> | undefined;
  readonly #fn: () => T | PromiseLike<T>;
  #name: string | number;
  // Whole milliseconds, which V8 keeps without a box.
  readonly #createdAt: number;
  #started = false;

  /** @internal */
  constructor(fn: () => T | PromiseLike<T>, kernel: Kernel, name?: string) {
    checkFunction(fn);
    if (name !== undefined && typeof name !== 'string') throw new InvalidArgumentError('name', name, 'a string');
    if (kernel.closed) throw new InvalidStateError('Event loop is closed');
    super(kernel);
    const creator = currentScope();
    this.#fn = fn;
    this.#name = name ?? kernel.nextNumber();
    this.#parent = nearestRunning(creator?.task as Task<unknown> | undefined);
    this.#createdAt = Math.round(kernel.clock.now() * 1000);
    this.before = undefined;
    this.after = undefined;
    this.scope = new Scope(kernel, this);
    this.scope.variables = creator?.root.variables;
    kernel.tasks.add(this);
    kernel.start(this);
  }

  get name(): string {
    return typeof this.#name === 'number' ? `Task-${this.#name}` : this.#name;
  }

  set name(name: string) {
    this.#name = name;
  }

  /** The task it was created in, or the nearest around that which is not done; undefined outside of tasks. */
  get parent(): Task<unknown> | undefined {
    this.#parent = nearestRunning(this.#parent);
    return this.#parent;
  }

  /** The names from the outermost task that is not done down to this one: `main/crawler/fetch-3`. */
  get path(): string {
    const names = [this.name];
    for (let task = this.parent; task !== undefined; task = task.parent) names.push(task.name);
    return names.reverse().join('/');
  }

  /**
   * Follows the cancellation of this task, for code that is not of this library; inside the task it is that of the
   * innermost timeout or group. After a request was delivered there is a new signal, so that clean-up can wait.
   */
  get signal(): AbortSignal {
    const scope = currentScope();
    return scope !== undefined && scope.root === this.scope ? scope.signal : this.scope.signal;
  }

  /** Seconds since its creation. */
  get age(): number {
    return this.kernel.clock.now() - this.#createdAt / 1000;
  }

  /** What it waits for, as a task tree shows it. */
  get waitsFor(): string {
    if (!this.#started) return 'its start';
    const waits = this.scope.waits();
    return waits.length === 0 ? 'something outside this library' : waits.map((wait) => wait.what).join(', ');
  }

  override get label(): string {
    return `Task '${this.name}'`;
  }

  /**
   * Asks the task to end: the library call it waits in, or the next one, throws CancelledError, once for each request,
   * and its signal aborts. The task may swallow it and go on. False if it is done. (asyncio.Task.cancel)
   */
  override cancel(message?: string): boolean {
    if (this.done()) return false;
    this.scope.cancel(message);
    return true;
  }

  /** Requests to cancel that were not taken back. */
  cancelling(): number {
    return this.scope.cancelling;
  }

  /** Takes back one request, having dealt with it; returns how many are left. */
  uncancel(): number {
    this.scope.uncancel();
    return this.scope.cancelling;
  }

  /** @internal */
  override look(): void {
    super.look();
    if (this.kernel.debug) forgetUnawaited(this.kernel, this);
  }

  override setResult(_value: T): never {
    throw new InvalidStateError('Task does not support setResult()');
  }

  override setException(_error: unknown): never {
    throw new InvalidStateError('Task does not support setException()');
  }

  /** @internal Whether whoever made it reports its failure, so that nobody else has to. */
  reportedByMaker(): boolean {
    return reportedByMaker.has(this);
  }

  /** @internal */
  willBeReported(): void {
    reportedByMaker.add(this);
  }

  /** @internal The first step. */
  run(): void {
    const request = this.scope.takePending();
    if (request !== undefined) return this.#failed(request);
    this.#started = true;
    try {
      const outcome = runIn(this.scope, this.#fn);
      if (isThenable(outcome)) this.#follow(outcome);
      else this.#end('finished', outcome);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @internal */
  giveUp(error: CancelledError): void {
    this.#end('cancelled', error);
  }

  /** @internal */
  static parentOf(task: Task<unknown>): Task<unknown> | undefined {
    return task.#parent;
  }

  // It was given up; those who waited for it were told so.
  #reportLate(error: unknown): void {
    this.kernel.report({ message: `${this.label} failed after it was detached`, exception: error, future: this });
  }

  #follow(outcome: PromiseLike<T>): void {
    const ok = (value: T) => this.#end('finished', value);
    const failed = (error: unknown) => this.#failed(error);
    // A future that was returned is waited for by this task; a native promise saves the context switch.
    if (outcome instanceof Promise) void outcome.then(ok, failed);
    else void runIn(this.scope, () => outcome.then(ok, failed));
  }

  #failed(error: unknown): void {
    if (isCancellation(error, this.scope)) this.#end('cancelled', asCancelled(error));
    else this.#end('failed', error);
  }

  #end(outcome: 'finished' | 'failed' | 'cancelled', result: unknown): void {
    if (this.done()) {
      if (outcome === 'failed') this.#reportLate(result);
      return;
    }
    this.scope.close();
    // Where each task starts the next, a chain of all that ever ran would be kept alive.
    this.#parent = nearestRunning(this.#parent);
    this.kernel.tasks.delete(this);
    this.kernel.clock.touch?.();
    if (this.kernel.debug && !this.looked && outcome === 'finished') watchUnawaited(this.kernel, this);
    if (outcome === 'finished') this.settle(outcome, result as T);
    else this.settle(outcome, result);
  }
}

// Few are: a field would be paid by every task.
const reportedByMaker = new WeakSet<Task<unknown>>();

function nearestRunning(task: Task<unknown> | undefined): Task<unknown> | undefined {
  let nearest = task;
  while (nearest?.done() === true) nearest = Task.parentOf(nearest);
  return nearest;
}

function checkFunction(fn: unknown): void {
  if (typeof fn === 'function') return;
  throw new InvalidArgumentError(
    'fn',
    fn,
    isThenable(fn)
      ? 'a function (a promise runs already: write () => …, or give it to gather, wait or shield)'
      : 'a function',
  );
}

function asCancelled(error: unknown): CancelledError {
  return error instanceof CancelledError ? error : new CancelledError('cancelled', { cause: error });
}
