import { deferred } from './deferred.ts';
import { CancelledError, ClosedError } from './errors.ts';

/** Where a service is in its life; it goes through these in order and never back. */
export type LifecycleState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** Why something stops, told to those who wait for it; `error` is set when it was not asked to. */
export interface StopReason {
  readonly why: string;
  readonly error?: unknown;
}

/** What a service does at start and stop; each runs at most once, and `stop` only when `start` has settled. */
export interface LifecycleHooks {
  /** A stop in the meantime aborts the signal: a start that waits should give up then. */
  start(signal: AbortSignal): void | Promise<void>;
  /** Must release everything `start` acquired, also after a `start` that failed half-way. */
  stop(reason: StopReason): void | Promise<void>;
}

/**
 * The one contract of everything that runs: `start` and `stop` are idempotent and may be called from anywhere at any
 * time; stop before or during start is legal and makes start fail with ClosedError; a failed start stops; the reason is
 * kept.
 */
export class Lifecycle implements AsyncDisposable {
  readonly #hooks: LifecycleHooks;
  readonly #name: string;
  readonly #stopped = deferred<StopReason>();
  readonly #abort = new AbortController();
  #state: LifecycleState = 'new';
  #starting: Promise<void> | undefined;
  #startHook: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #reason: StopReason | undefined;

  constructor(name: string, hooks: LifecycleHooks) {
    this.#name = name;
    this.#hooks = hooks;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** Settles, with the reason, once everything is released. Never rejects. */
  get stopped(): Promise<StopReason> {
    return this.#stopped.promise;
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** The first reason wins; a second call waits for the same stop. Rejects if the release failed. */
  stop(reason: StopReason = { why: 'asked to stop' }): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    if (this.#reason !== undefined) throw new ClosedError(`${this.#name} was stopped before it started`);
    this.#state = 'starting';
    this.#startHook = this.#runStartHook();
    try {
      await this.#startHook;
    } catch (error) {
      // The caller of start gets the error; a failing release behind it would only hide it.
      await this.stop({ why: 'it could not start', error }).catch(() => {});
      throw error;
    }
    if (this.#reason !== undefined) throw new ClosedError(`${this.#name} was stopped while it started`);
    this.#state = 'running';
  }

  async #runStartHook(): Promise<void> {
    await this.#hooks.start(this.#abort.signal);
  }

  async #stop(reason: StopReason): Promise<void> {
    this.#reason = reason;
    this.#state = 'stopping';
    this.#abort.abort(new CancelledError(`${this.#name} is stopping: ${reason.why}`, { cause: reason.error }));
    try {
      // What a start still acquires after the release would be left: the release comes after it.
      await this.#startHook?.catch(() => {});
      if (this.#startHook !== undefined) await this.#hooks.stop(reason);
    } finally {
      this.#state = 'stopped';
      this.#stopped.resolve(reason);
    }
  }
}
