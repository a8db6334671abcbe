import type { WaitOptions } from '../base/deadline.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import type { Engine } from './engine/engine.ts';
import { BrokenExecutor } from './errors.ts';
import type { Callable, Iterables, ShutdownOptions, WorkerPool } from './executor.ts';
import { Executor } from './executor.ts';
import { Future } from './future.ts';
import { ExecutorMap } from './map.ts';
import type { MapOptions, SubmitOptions } from './options.ts';
import type { ExecutorEvents, ExecutorStatistics } from './statistics.ts';
import { Stream } from './stream.ts';

/** An executor over an engine. */
export abstract class WorkerExecutor extends Executor implements WorkerPool {
  readonly #engine: Engine;

  protected constructor(engine: Engine) {
    super();
    this.#engine = engine;
  }

  override submit<A extends readonly unknown[], R>(fn: Callable<A, R>, ...args: A): Future<Awaited<R>> {
    const future = new Future<Awaited<R>>();
    future.follow(this.#engine.call(fn, args, future));
    return future;
  }

  override submitWith<A extends readonly unknown[], R>(
    options: SubmitOptions | undefined,
    fn: Callable<A, R>,
    ...args: A
  ): Future<Awaited<R>> {
    const future = new Future<Awaited<R>>();
    future.follow(this.#engine.call(fn, args, future, options));
    return future;
  }

  override map<A extends readonly unknown[], R>(
    fn: Callable<A, R>,
    ...iterables: [...Iterables<A>] | [...Iterables<A>, options: MapOptions]
  ): AsyncIterableIterator<Awaited<R>> {
    const last: unknown = iterables.at(-1);
    const hasOptions = typeof last === 'object' && last !== null && !(Symbol.iterator in last);
    const sources = (hasOptions ? iterables.slice(0, -1) : iterables) as Iterable<unknown>[];
    if (sources.length === 0) throw new InvalidArgumentError('iterables', sources, 'at least one iterable');
    return new ExecutorMap(this.#engine, fn, sources, hasOptions ? last : {});
  }

  override room(options?: WaitOptions): Promise<void> {
    return this.#engine.room(options);
  }

  override async shutdown({ wait = true, cancelFutures = false, ...options }: ShutdownOptions = {}): Promise<void> {
    this.#engine.close({ cancelQueued: cancelFutures });
    if (wait) await this.#engine.join(options);
  }

  ready(options?: WaitOptions): Promise<void> {
    return this.#engine.ready(options);
  }

  resize(maxWorkers: number): void {
    this.#engine.resize(maxWorkers);
  }

  stream<A extends readonly unknown[], Y>(
    fn: Callable<A, Iterable<Y> | AsyncIterable<Y>>,
    ...args: A
  ): AsyncIterableIterator<Y> {
    return new Stream<Y>(this.#engine, fn, args);
  }

  terminateWorkers(): Promise<void> {
    return this.#engine.terminate('SIGTERM', terminated);
  }

  killWorkers(): Promise<void> {
    return this.#engine.terminate('SIGKILL', terminated);
  }

  statistics(): ExecutorStatistics {
    return this.#engine.statistics();
  }

  on<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): this {
    this.#engine.on(event, listener);
    return this;
  }

  off<E extends keyof ExecutorEvents>(event: E, listener: (detail: ExecutorEvents[E]) => void): this {
    this.#engine.off(event, listener);
    return this;
  }
}

function terminated(): BrokenExecutor {
  return new BrokenExecutor('the workers of the executor were terminated');
}
