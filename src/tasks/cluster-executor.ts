import { onAbort } from '../base/abort.ts';
import { cancelledBy, throwIfAborted, within } from '../base/deadline.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { ClosedError, InvalidArgumentError } from '../base/errors.ts';
import type { Callable, Iterables, ShutdownOptions } from '../futures/executor.ts';
import { Executor } from '../futures/executor.ts';
import { Future } from '../futures/future.ts';
import type { MapOptions, SubmitOptions } from '../futures/options.ts';
import type { Simul } from './app.ts';
import { TaskRevokedError } from './errors.ts';
import type { AsyncResult } from './result.ts';
import type { ApplyOptions, Task } from './task.ts';

type AnyTask = Task;

/**
 * Runs registered tasks of an app on its workers, wherever they are, with the interface of the pools: the executor is changed and the calls
 * stay. Choose it to go from one machine to several. A call whose worker dies is run again, unlike in a pool. `timeout`
 * is the task's time limit. `cancel` revokes the task: one that has begun goes on unless `running` is set, then it is terminated.
 *
 * @example
 * await using cluster: Executor = new ClusterExecutor(app);
 * const sum = await cluster.submit(add, 2, 3);
 */
export class ClusterExecutor extends Executor {
  readonly #app: Simul;
  /** Each settles when the call is over and, if it was cancelled, revoked. */
  readonly #calls = new Map<Future<unknown>, Promise<void>>();
  #closed = false;

  constructor(app: Simul) {
    super();
    this.#app = app;
  }

  /** As `submit`, with options. `priority` is 0 to 9. */
  override submitWith<A extends readonly unknown[], R>(
    options: SubmitOptions | undefined,
    fn: Callable<A, R>,
    ...args: A
  ): Future<Awaited<R>> {
    if (this.#closed) throw new ClosedError('cannot schedule new futures after shutdown');
    const call = new ClusterCall(options);
    const future = new Future<Awaited<R>>(call);
    const end = call.run(this.#check(fn), args, future);
    this.#calls.set(future, end);
    void end.then(() => this.#calls.delete(future));
    return future;
  }

  /** As in the pools; items travel one by one, whatever `chunksize` says. */
  override map<A extends readonly unknown[], R>(
    fn: Callable<A, R>,
    ...iterables: [...Iterables<A>] | [...Iterables<A>, options: MapOptions]
  ): AsyncIterableIterator<Awaited<R>> {
    const last: unknown = iterables.at(-1);
    const hasOptions = typeof last === 'object' && last !== null && !(Symbol.iterator in last);
    const sources = (hasOptions ? iterables.slice(0, -1) : iterables) as Iterable<unknown>[];
    if (sources.length === 0) throw new InvalidArgumentError('iterables', sources, 'at least one iterable');
    const { chunksize = 1, buffersize = Infinity, ...options } = (hasOptions ? last : {}) as MapOptions;
    checkCount('chunksize', chunksize);
    if (buffersize !== Infinity) checkCount('buffersize', buffersize);
    const lists = zip(sources);
    const futures: Future<Awaited<R>>[] = [];
    const fill = () => {
      while (futures.length < buffersize) {
        const next = lists.next();
        if (next.done === true) return;
        const future = this.submitWith(options, fn, ...(next.value as unknown as A));
        future.look();
        futures.push(future);
      }
    };
    fill();
    return inOrder(futures, fill);
  }

  /** The broker takes what comes: there is always room. */
  override room({ signal }: WaitOptions = {}): Promise<void> {
    try {
      throwIfAborted(signal);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes no more calls and waits for those it has, or until those it cancels are revoked. The app and its workers stay. */
  override async shutdown({ wait = true, cancelFutures = false, ...options }: ShutdownOptions = {}): Promise<void> {
    this.#closed = true;
    if (cancelFutures) for (const future of this.#calls.keys()) future.cancel();
    if (!wait) return;
    await within(Promise.all(this.#calls.values()), { ...options, what: 'waiting for tasks of an executor' });
  }

  // Over a network only registered tasks travel, never source.
  #check(fn: unknown): AnyTask | InvalidArgumentError {
    if (typeof fn === 'function' && 'applyAsync' in fn && this.#app.tasks.has(fn.name)) return fn as unknown as AnyTask;
    return new InvalidArgumentError('fn', fn, `a task of the app "${this.#app.name}" (app.task(name, fn))`);
  }
}

/** One call, from its sending to its result. */
class ClusterCall {
  readonly #options: SubmitOptions;
  readonly #stop = new AbortController();
  #result: AsyncResult | undefined;
  #terminate = false;
  #revoking: Promise<void> | undefined;

  constructor(options: SubmitOptions = {}) {
    this.#options = options;
  }

  running(): boolean {
    return false; // only the workers know
  }

  revoke(running: boolean): boolean {
    this.#terminate = running;
    this.#stop.abort();
    this.#revoking ??= this.#revoke();
    return true;
  }

  async run(task: AnyTask | InvalidArgumentError, args: readonly unknown[], future: Future<unknown>): Promise<void> {
    const { signal } = this.#options;
    const forget = onAbort(signal, () => {
      this.revoke(true);
      future.fail(cancelledBy(signal!));
    });
    try {
      if (task instanceof InvalidArgumentError) throw task;
      throwIfAborted(signal);
      this.#result = await task.applyAsync([...args], this.#applyOptions());
      if (this.#stop.signal.aborted) return void (this.#revoking = this.#revoke());
      future.fulfil(await this.#result.get({ signal: this.#stop.signal }));
    } catch (error) {
      if (!this.#stop.signal.aborted || error instanceof TaskRevokedError) future.fail(error);
    } finally {
      forget();
      await this.#revoking;
    }
  }

  #applyOptions(): ApplyOptions {
    const { priority, timeout } = this.#options;
    return {
      ...(priority === undefined ? {} : { priority }),
      ...(timeout === undefined ? {} : { timeLimit: timeout }),
    };
  }

  // That it could not be told changes nothing: the task runs, and nobody waits for it.
  async #revoke(): Promise<void> {
    await this.#result?.revoke({ terminate: this.#terminate }).catch(() => {});
  }
}

function* zip(sources: readonly Iterable<unknown>[]): Generator<unknown[], void, void> {
  const iterators = sources.map((source) => source[Symbol.iterator]());
  for (;;) {
    const steps = iterators.map((each) => each.next());
    if (steps.some((step) => step.done === true)) return;
    yield steps.map((step): unknown => step.value);
  }
}

async function* inOrder<T>(futures: Future<T>[], fill: () => void): AsyncGenerator<T, void, void> {
  try {
    for (let first = futures.shift(); first !== undefined; first = futures.shift()) {
      const value = await first.result();
      fill();
      yield value;
    }
  } finally {
    for (const future of futures) future.cancel();
  }
}

function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(name, value, 'a whole number above 0');
}
