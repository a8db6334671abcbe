import type { Clock } from '../base/clock.ts';
import { checkSeconds, provideAmbient } from '../base/deadline.ts';
import { CancelledError, ClosedError, InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { watchForDeadlock } from './deadlock.ts';
import type { Future } from './future.ts';
import type { Scheduler } from './kernel.ts';
import { Kernel } from './kernel.ts';
import type { EventLoop } from './loop.ts';
import { loopOf } from './loop.ts';
import { enterOutside } from './outside.ts';
import type { Scope } from './scope.ts';
import { currentScope } from './scope.ts';
import { watchSlowCallbacks } from './slow-callbacks.ts';
import { Task } from './task.ts';
import { liveKernels } from './tree.ts';
import { reportUnawaited } from './unawaited.ts';
import { reportLosses } from './unhandled.ts';

provideAmbient(() => currentScope()?.waitSignal, enterOutside);

/** How a loop runs. */
export interface RunOptions {
  /** Reports slow callbacks, tasks nobody awaited and tasks destroyed while pending (default false). */
  readonly debug?: boolean | undefined;
  /** Time for everything that waits in this run (default: real time). */
  readonly clock?: Clock | undefined;
  /** Order of wake-ups, for tests that explore interleavings. */
  readonly scheduler?: Scheduler | undefined;
  /** Seconds a foreign await may ignore a cancellation before it is reported and detached (default 5). */
  readonly cancelGrace?: number | undefined;
}

/**
 * Runs `main` as the task 'main' of a new loop and gives its result. Whatever it left running is then cancelled and
 * joined, so nothing outlives it; an error nobody looked at becomes an unhandled rejection. Throws what `main` throws,
 * DeadlockError if nothing can wake it any more, InvalidStateError inside another run. (asyncio.run)
 *
 * @example
 * await run(async () => { await sleep(43_200); }, { clock: new VirtualClock({ autoJump: true }) });
 */
export async function run<T>(main: () => T | PromiseLike<T>, options: RunOptions = {}): Promise<T> {
  const runner = new Runner(options);
  try {
    return await runner.run(main);
  } finally {
    await runner.close();
  }
}

/**
 * A loop for several `run`s one after the other; context, executor and left-over tasks live until `close`.
 * (asyncio.Runner)
 *
 * @example
 * await using runner = new Runner({ debug: true });
 * await runner.run(setUp);
 * await runner.run(main);
 */
export class Runner implements AsyncDisposable {
  readonly #kernel: Kernel;
  readonly #releases: (() => void)[] = [];
  #variables: Scope['variables'];
  #running = false;
  #closing: Promise<void> | undefined;

  constructor(options: RunOptions = {}) {
    checkOptions(options);
    if (currentScope() !== undefined) throw new InvalidStateError('run() cannot be called from a running event loop');
    if (options.cancelGrace !== undefined) checkSeconds('cancelGrace', options.cancelGrace);
    this.#kernel = new Kernel(options);
    liveKernels.add(this.#kernel);
    if (this.#kernel.debug) this.#releases.push(watchSlowCallbacks(this.#kernel));
  }

  get loop(): EventLoop {
    return loopOf(this.#kernel);
  }

  async run<T>(main: () => T | PromiseLike<T>, options: { readonly name?: string } = {}): Promise<T> {
    if (typeof main !== 'function') throw new InvalidArgumentError('main', main, 'a function');
    checkOptions(options);
    if (this.#closing !== undefined) throw new ClosedError('Runner is closed');
    if (this.#running) throw new InvalidStateError('Runner.run() cannot be called while it runs');
    const task = new Task(main, this.#kernel, options.name ?? 'main');
    // What one run sets, the next one finds.
    task.scope.variables = this.#variables;
    this.#running = true;
    try {
      return await this.#supervise(task);
    } finally {
      this.#running = false;
      this.#variables = task.scope.variables;
    }
  }

  /** Cancels and joins what is left, ends the executor; may be called more than once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #supervise<T>(task: Task<T>): Promise<T> {
    let stop: (() => void) | undefined;
    const deadlock = new Promise<never>((_resolve, reject) => {
      stop = watchForDeadlock(this.#kernel, reject);
    });
    try {
      return await Promise.race([task, deadlock]);
    } finally {
      stop?.();
    }
  }

  async #close(): Promise<void> {
    // A task may start another while it is being cancelled.
    for (let tasks = this.#tasks(); tasks.length > 0; tasks = this.#tasks()) await this.#cancelAll(tasks);
    try {
      await this.loop.close();
    } finally {
      // An executor that cannot end must not keep the rest from ending.
      this.#end();
    }
  }

  #end(): void {
    this.#kernel.closed = true;
    reportLosses(this.#kernel);
    reportUnawaited(this.#kernel);
    liveKernels.delete(this.#kernel);
    for (const release of this.#releases) release();
  }

  #tasks(): Task<unknown>[] {
    return [...this.#kernel.tasks] as Task<unknown>[];
  }

  async #cancelAll(tasks: readonly Task<unknown>[]): Promise<void> {
    for (const task of tasks) {
      task.look();
      task.cancel();
    }
    await this.#untilEnded(tasks);
    for (const task of tasks.filter((each) => each.failed() && !each.reportedByMaker())) {
      const message = 'unhandled exception during run() shutdown';
      this.#kernel.report({ message, exception: task.reason(), future: task, unhandled: true });
    }
  }

  async #untilEnded(tasks: readonly Task<unknown>[]): Promise<void> {
    const stop = watchForDeadlock(this.#kernel, () => {
      for (const task of tasks) giveUp(task, this.#kernel);
    });
    try {
      await Promise.all(tasks.map((task) => ended(task)));
    } finally {
      stop();
    }
  }
}

function giveUp(task: Task<unknown>, kernel: Kernel): void {
  if (task.done()) return;
  const message = `${task.label} swallowed the cancellation at the end of its run and waits for what never comes; detached`;
  kernel.report({ message, future: task });
  task.giveUp(new CancelledError(message));
}

function ended(future: Future<unknown>): Promise<void> {
  return new Promise((resolve) => {
    if (future.done()) resolve();
    else future.observe({ notify: () => resolve() });
  });
}
