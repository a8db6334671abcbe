import type { WaitOptions } from '../base/deadline.ts';
import { withinBounds } from '../base/ending-signals.ts';
import { InvalidStateError } from '../base/errors.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import { portable } from '../callable/portable.ts';
import { describe, resolve } from '../callable/reference.ts';
import type { AnyFunction, Reference } from '../callable/registry.ts';
import { ThreadHost } from '../callable/thread-host.ts';
import type { ThreadIdentity } from './current.ts';
import { becomeThread, currentIdentity, forget, nativeThreadId, remember } from './current.ts';
import { excepthook } from './excepthook.ts';

/** Options of a thread. */
export interface ThreadOptions {
  /** By default "Thread-1" and so on. */
  readonly name?: string;
  /** Does not keep the program alive (default: as the thread that makes it). */
  readonly daemon?: boolean;
}

const joining = new KeepAlive();
let count = 0;

/**
 * A function that runs on a thread of its own: for CPU work, and for code that blocks. The function is a plain one without
 * free variables, `portable` or `fromModule`; arguments are cloned, locks, queues and the like arrive as the same
 * ones. Memory is not shared otherwise. InvalidArgumentError if the function cannot cross. (threading.Thread)
 *
 * @example
 * const thread = new Thread((n: number) => n * 2, [21]).start();
 * await thread.join(); // 42
 */
export class Thread<F extends AnyFunction = AnyFunction> {
  readonly name: string;
  readonly daemon: boolean;
  readonly #reference: Reference;
  readonly #args: Parameters<F>;
  readonly #native = new Int32Array(new SharedArrayBuffer(4));
  #host: ThreadHost | undefined;
  #outcome: Promise<Awaited<ReturnType<F>>> | undefined;
  #alive = false;
  #joined = false;

  constructor(target: F, args: Parameters<F>, { name, daemon }: ThreadOptions = {}) {
    this.#reference = describe(target);
    this.#args = args;
    this.name = name ?? `Thread-${++count}`;
    this.daemon = daemon ?? currentIdentity().daemon;
  }

  /** Node's number of the thread; undefined before `start`. */
  get ident(): number | undefined {
    return this.#host?.threadId;
  }

  /** The operating system's number; undefined until the thread has said it (or where libc cannot be called). */
  get nativeId(): number | undefined {
    return Atomics.load(this.#native, 0) || undefined;
  }

  /** Starts it, once. InvalidStateError the second time. */
  start(): this {
    if (this.#outcome !== undefined) throw new InvalidStateError('threads can only be started once');
    this.begin();
    return this;
  }

  isAlive(): boolean {
    return this.#alive;
  }

  /**
   * Waits for its end and gives what the function returned, or throws what it threw. TimeoutError and CancelledError end
   * the wait, not the thread; BrokenError if it was terminated. InvalidStateError if not started, or for itself.
   */
  async join(options?: WaitOptions): Promise<Awaited<ReturnType<F>>> {
    if (this.#outcome === undefined) throw new InvalidStateError('cannot join thread before it is started');
    this.#joined = true;
    return joining.during(withinBounds(this.#outcome, options, `the end of ${this.name}`));
  }

  /** Ends it where it stands: locks it holds go to the next waiter, its clean-up does not run. */
  async terminate(): Promise<void> {
    await this.#host?.terminate();
  }

  /** @internal Overridden by Timer. */
  protected begin(): void {
    this.run(Promise.resolve(true));
  }

  /** @internal Runs once `due` says so. */
  protected run(due: Promise<boolean>): void {
    this.#alive = true;
    remember(this);
    this.#outcome = due.then((really) => (really ? this.#run() : undefined)) as Promise<Awaited<ReturnType<F>>>;
    // Told when it fails, unless somebody waits by then.
    this.#outcome.then(
      () => this.#ended(),
      (error: unknown) => this.#ended({ error }),
    );
  }

  async #run(): Promise<unknown> {
    await using host = new ThreadHost({ daemon: this.daemon });
    this.#host = host;
    const { name, daemon } = this;
    const identity = { name, daemon, ident: host.threadId, native: this.#native };
    return await host.call(runTarget, [this.#reference, this.#args as unknown[], identity]);
  }

  #ended(failure?: { readonly error: unknown }): void {
    this.#alive = false;
    forget(this);
    if (failure !== undefined && !this.#joined) excepthook({ error: failure.error, thread: this });
  }
}

const runTarget = portable(import.meta, 'runTarget', runTargetHere);

async function runTargetHere(
  reference: Reference,
  args: readonly unknown[],
  identity: ThreadIdentity,
): Promise<unknown> {
  becomeThread(identity);
  if (identity.native !== undefined) Atomics.store(identity.native, 0, nativeThreadId());
  const target = (await resolve(reference)) as (...args: readonly unknown[]) => unknown;
  return target(...args);
}
