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
  readonly #pending = new Set<Future<unknown>>();
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
    this.#pending.add(future);
    future.addDoneCallback(() => this.#pending.delete(future));
    void call.run(this.#check(fn), args, future);
    return future;
  }

  override async *map<A extends readonly unknown[], R>(
    fn: Callable<A, R>,
    ...iterables: [...Iterables<A>] | [...Iterables<A>, options: MapOptions]
  ): AsyncGenerator<Awaited<R>, void, void> {
    const last: unknown = iterables.at(-1);
    const hasOptions = typeof last === 'object' && last !== null && !(Symbol.iterator in last);
    const sources = (hasOptions ? iterables.slice(0, -1) : iterables) as Iterable<unknown>[];
    const { chunksize: _chunksize, buffersize = Infinity, ...options } = (hasOptions ? last : {}) as MapOptions;
    const lists = zip(sources);
    const futures: Future<Awaited<R>>[] = [];
    try {
      for (;;) {
        while (futures.length < buffersize) {
          const next = lists.next();
          if (next.done === true) break;
          const future = this.submitWith(options, fn, ...(next.value as unknown as A));
          future.look();
          futures.push(future);
        }
        const first = futures.shift();
        if (first === undefined) return;
        yield await first.result();
      }
    } finally {
      for (const future of futures) future.cancel();
    }
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

  /** Takes no more calls and waits for those it has. The app and its workers stay. */
  override async shutdown({ wait = true, cancelFutures = false, ...options }: ShutdownOptions = {}): Promise<void> {
    this.#closed = true;
    const pending = [...this.#pending];
    if (cancelFutures) for (const future of pending) future.cancel();
    if (!wait) return;
    await within(Promise.all(pending.map(ended)), { ...options, what: 'waiting for tasks of an executor' });
  }

  // Over a network only registered tasks travel, never source.
  #check(fn: unknown): AnyTask | InvalidArgumentError {
    const { name } = fn as AnyTask;
    if (typeof fn === 'function' && 'applyAsync' in fn && this.#app.tasks.has(name)) return fn as unknown as AnyTask;
    return new InvalidArgumentError('fn', fn, `a task of the app "${this.#app.name}" (app.task(name, fn))`);
  }
}

/** One call, from its sending to its result. */
class ClusterCall {
  readonly #options: SubmitOptions;
  readonly #stop = new AbortController();
  #result: AsyncResult | undefined;
  #terminate = false;

  constructor(options: SubmitOptions = {}) {
    this.#options = options;
  }

  running(): boolean {
    return false; // only the workers know
  }

  revoke(running: boolean): boolean {
    this.#terminate = running;
    this.#stop.abort();
    void this.#revoke();
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
      if (this.#stop.signal.aborted) return await this.#revoke();
      future.fulfil(await this.#result.get({ signal: this.#stop.signal }));
    } catch (error) {
      if (!this.#stop.signal.aborted || error instanceof TaskRevokedError) future.fail(error);
    } finally {
      forget();
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

async function ended(future: Future<unknown>): Promise<void> {
  await future.exception().catch(() => {});
}
