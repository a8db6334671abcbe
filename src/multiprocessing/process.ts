import { constants } from 'node:os';
import type { WaitOptions } from '../base/deadline.ts';
import { withinBounds } from '../base/ending-signals.ts';
import { messageOf } from '../base/error-text.ts';
import { BrokenError, ClosedError, InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import type { HostExit } from '../callable/host.ts';
import { describe } from '../callable/reference.ts';
import type { AnyFunction } from '../callable/registry.ts';
import { close, pipe } from '../os/descriptor.ts';
import { pidfdOpen } from '../os/pidfd.ts';
import { currentIdentity, forget, nextName, remember } from './current.ts';
import type { ProcessLink } from './process-link.ts';
import type { StartMethod } from './start-method.ts';
import { getStartMethod } from './start-method.ts';
import { startProcess } from './start-process.ts';

/** Options of a process. */
export interface ProcessOptions {
  /** By default "Process-1" and so on; of a child's child "Process-1:1". */
  readonly name?: string;
  /** Does not keep the program alive, and is terminated at its end (default: as the process that makes it). */
  readonly daemon?: boolean;
  /** By default what `setStartMethod` said. */
  readonly startMethod?: StartMethod;
}

type Exit = Omit<HostExit, 'why'>;

const joining = new KeepAlive();

/**
 * A function that runs in a process of its own: isolated, killable whatever it does, and gone when this process goes.
 * The function is a plain one without free variables, `portable` or `fromModule`; arguments are cloned, locks, queues and the
 * like arrive as the same ones. With start method "fork" it may be any, and finds all memory as it was. What the function throws is printed in the child, whose exit code is then 1. InvalidArgumentError if
 * the function cannot cross. (multiprocessing.Process)
 *
 * @example
 * const process = new Process(work, [queue]).start();
 * await process.join();
 * process.exitcode; // 0
 */
export class Process<F extends AnyFunction = AnyFunction> implements AsyncDisposable {
  readonly name: string;
  readonly daemon: boolean;
  readonly #target: F;
  readonly #args: Parameters<F>;
  readonly #method: StartMethod;
  #link: ProcessLink | undefined;
  #exit: Exit | undefined;
  #sentinel: number | undefined;
  #closed = false;

  constructor(target: F, args: Parameters<F>, { name, daemon, startMethod }: ProcessOptions = {}) {
    this.#method = startMethod ?? getStartMethod();
    checkTarget(target, this.#method);
    this.#target = target;
    this.#args = args;
    this.name = name ?? nextName();
    this.daemon = daemon ?? currentIdentity().daemon;
  }

  /** Undefined before `start`; with start methods forkserver and fork until the process has been forked. */
  get pid(): number | undefined {
    return this.#link?.pid;
  }

  /** 0 at a good end, 1 if the function threw, negative if a signal ended it; undefined while it runs. */
  get exitcode(): number | undefined {
    return this.#exit === undefined ? undefined : codeOf(this.#exit);
  }

  /** A descriptor that is readable when the process has ended, for `poll`; closed by `close`. Linux. */
  get sentinel(): number {
    const { pid } = this;
    if (pid === undefined) throw new InvalidStateError('the process has not been started');
    return (this.#sentinel ??= this.#exit === undefined ? pidfdOpen(pid) : readable());
  }

  /** Starts it, once. InvalidStateError the second time, or in a daemon, whose children nobody would wait for. */
  start(): this {
    if (this.#link !== undefined) throw new InvalidStateError('cannot start a process twice');
    this.#checkOpen();
    if (currentIdentity().daemon) throw new InvalidStateError('daemonic processes are not allowed to have children');
    const { daemon } = this;
    const identity = { name: this.name, daemon, parentPid: process.pid };
    const link = startProcess(this.#method, { target: this.#target, args: this.#args, identity }, { daemon });
    this.#link = link;
    remember(this, daemon ? () => link.kill('SIGKILL') : undefined);
    void link.exited.then((exit) => this.#ended(exit));
    return this;
  }

  isAlive(): boolean {
    return this.#link !== undefined && this.#exit === undefined;
  }

  /**
   * Waits for its end and gives the exit code. TimeoutError and CancelledError end the wait, not the process;
   * InvalidStateError if not started; BrokenError with the cause if there was no starting it.
   */
  async join(options?: WaitOptions): Promise<number> {
    if (this.#link === undefined) throw new InvalidStateError('can only join a started process');
    const exit = await joining.during(withinBounds(this.#link.exited, options, `the end of ${this.name}`));
    if (exit.code === null && exit.signal === null) {
      throw new BrokenError(`${this.name} could not be started: ${messageOf(exit.error)}`, { cause: exit.error });
    }
    return codeOf(exit);
  }

  /** Sends SIGTERM. */
  terminate(): void {
    this.#signal('SIGTERM');
  }

  /** Sends SIGKILL. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  /** Releases what this object holds. InvalidStateError while the process runs. Idempotent. */
  close(): void {
    if (this.isAlive()) throw new InvalidStateError('cannot close a process while it is still running');
    this.#closed = true;
    if (this.#sentinel !== undefined) close(this.#sentinel);
    this.#sentinel = undefined;
  }

  /** Kills it if it still runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isAlive()) this.#link!.kill('SIGKILL');
    if (this.#link !== undefined) await this.join();
    this.close();
  }

  #signal(signal: NodeJS.Signals): void {
    this.#checkOpen();
    if (this.#link === undefined) throw new InvalidStateError('the process has not been started');
    if (this.#exit === undefined) this.#link.kill(signal);
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError('process object is closed');
  }

  #ended(exit: Exit): void {
    this.#exit = exit;
    forget(this);
  }
}

// For a process that is gone: a pipe at its end.
function readable(): number {
  const [end, other] = pipe();
  close(other);
  return end;
}

// A copy of this process has the function already.
function checkTarget(target: AnyFunction, method: StartMethod): void {
  if (typeof target !== 'function') throw new InvalidArgumentError('target', target, 'a function');
  if (method !== 'fork') describe(target);
}

function codeOf({ code, signal }: Exit): number {
  if (signal !== null) return -constants.signals[signal];
  return code ?? 1;
}
