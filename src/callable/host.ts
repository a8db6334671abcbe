import type { WaitOptions } from '../base/deadline.ts';
import type { AnyFunction } from './registry.ts';

/** How a thread or process ended. */
export interface HostExit {
  /** `closed` and `terminated` were asked for; `died` was not. */
  readonly why: 'closed' | 'terminated' | 'died';
  /** The exit code, or null if a signal ended it or it never started. */
  readonly code: number | null;
  /** The signal that ended a process, such as SIGKILL. */
  readonly signal: NodeJS.Signals | null;
  /** What it died of, where there is an error: an uncaught exception, a failed start. */
  readonly error?: unknown;
}

/** How one call is made. */
export interface CallOptions {
  /** Gives up the call: it rejects at once, and `currentSignal()` fires in the function. */
  readonly signal?: AbortSignal | undefined;
}

/** One thread or process that runs functions for this one. Idle, it does not keep the program alive. */
export interface Host extends AsyncDisposable {
  /** In words, for messages: "thread 3", "process 4711". */
  readonly name: string;
  /** Calls that are under way there, given-up ones that have not returned included. */
  readonly running: number;
  /** Settles when it has ended, however that came; never rejects. */
  readonly exited: Promise<HostExit>;
  /**
   * Runs `fn` there. Several calls may be in flight; they share its event loop. Arguments and result are structured
   * clones, taken at once.
   *
   * @throws InvalidArgumentError if the function cannot cross, EncodeError naming the path if an argument or the result
   * cannot, CancelledError on abort, BrokenError if the host ends first, ClosedError after close, else what `fn` threw.
   */
  call<F extends AnyFunction>(fn: F, args: Parameters<F>, options?: CallOptions): Promise<Awaited<ReturnType<F>>>;
  /** Takes no more calls, waits for those that run, ends it. `timeout` (seconds) and `signal` bound the wait only. */
  close(options?: WaitOptions): Promise<void>;
  /** Ends it now; what runs rejects with BrokenError. */
  terminate(): Promise<HostExit>;
}
