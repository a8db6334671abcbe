import { constants } from 'node:os';
import type { WaitOptions } from '../base/deadline.ts';
import { within } from '../base/deadline.ts';
import { endings } from '../base/ending-signals.ts';
import { ClosedError, InvalidStateError } from '../base/errors.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import type { HostExit } from '../callable/host.ts';
import { describe } from '../callable/reference.ts';
import type { AnyFunction, Reference } from '../callable/registry.ts';
import { close } from '../os/descriptor.ts';
import { pidfdOpen } from '../os/pidfd.ts';
import { currentIdentity, forget, remember } from './current.ts';
import { runProcess } from './run-process.ts';
import type { StartMethod } from './start-method.ts';
import { getStartMethod, startHost } from './start-method.ts';
import type { ProcessLink } from './start-method.ts';

/** Options of a process. */
export interface ProcessOptions {
  /** By default "Process-1" and so on; of a child's child "Process-1:1". */
  readonly name?: string;
  /** Does not keep the program alive, and is terminated at its end (default: as the process that makes it). */
  readonly daemon?: boolean;
  /** By default what `setStartMethod` said. */
  readonly startMethod?: StartMethod;
}

const joining = new KeepAlive();
let count = 0;

/**
 * A function that runs in a process of its own: isolated, killable whatever it does, and gone when this process goes.
 * The function is a plain one without free variables, `portable` or `fromModule`; arguments are cloned, locks, queues and the
 * like arrive as the same ones. What the function throws is printed in the child, whose exit code is then 1. InvalidArgumentError if
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
  readonly #reference: Reference;
  readonly #args: Parameters<F>;
  readonly #method: StartMethod;
  #link: ProcessLink | undefined;
  #exit: HostExit | undefined;
  #sentinel: number | undefined;
  #closed = false;

  constructor(target: F, args: Parameters<F>, { name, daemon, startMethod }: ProcessOptions = {}) {
    this.#reference = describe(target);
    this.#args = args;
    const parent = currentIdentity();
    this.name = name ?? `${parent.name === 'MainProcess' ? 'Process-' : `${parent.name}:`}${++count}`;
    this.daemon = daemon ?? parent.daemon;
    this.#method = startMethod ?? getStartMethod();
  }

  /** Undefined before `start`; with start method forkserver until the process has been forked. */
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
    return (this.#sentinel ??= pidfdOpen(pid));
  }

  /** Starts it, once. InvalidStateError the second time, or in a daemon, whose children nobody would wait for. */
  start(): this {
    if (this.#link !== undefined) throw new InvalidStateError('cannot start a process twice');
    this.#checkOpen();
    if (currentIdentity().daemon) throw new InvalidStateError('daemonic processes are not allowed to have children');
    const link = startHost(this.#method, { daemon: this.daemon });
    this.#link = link;
    remember(this, this.daemon ? () => link.host.terminate() : undefined);
    const own = { name: this.name, daemon: this.daemon, parentPid: process.pid };
    const identity = this.#method === 'spawn' ? { ...own, maker: process.pid } : own;
    const args: unknown[] = this.#args;
    const done = link.host.call(runProcess, [this.#reference, args, identity]);
    // However it ends, the exit says so.
    done.then(() => link.host.close()).catch((error: unknown) => link.failed(error));
    void link.host.exited.then((exit) => this.#ended(exit));
    return this;
  }

  isAlive(): boolean {
    return this.#link !== undefined && this.#exit === undefined;
  }

  /**
   * Waits for its end and gives the exit code. TimeoutError and CancelledError end the wait, not the process;
   * InvalidStateError if not started.
   */
  async join(options?: WaitOptions): Promise<number> {
    if (this.#link === undefined) throw new InvalidStateError('can only join a started process');
    const exit = await joining.during(
      within(this.#link.host.exited, { ...endings(options), what: `joining ${this.name}` }),
    );
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
    if (this.isAlive()) await this.#link!.host.terminate();
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

  #ended(exit: HostExit): void {
    this.#exit = exit;
    forget(this);
  }
}

function codeOf({ code, signal }: HostExit): number {
  if (signal !== null) return -constants.signals[signal];
  return code ?? 1;
}
