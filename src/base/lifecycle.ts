import { deferred } from './deferred.ts';
import { ClosedError } from './errors.ts';

export type LifecycleState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** Why something stops, told to those who wait for it; `error` is set when it was not asked to. */
export interface StopReason {
  readonly why: string;
  readonly error?: unknown;
}

/** What a service does at start and stop; each runs at most once. */
export interface LifecycleHooks {
  start(): void | Promise<void>;
  /** Must release everything `start` acquired, also after a `start` that failed half-way. */
  stop(reason: StopReason): void | Promise<void>;
}

/**
 * The one contract of everything that runs: `start` and `stop` are idempotent and may be called from anywhere at any
 * time; stop before start is legal and makes start fail with ClosedError; a failed start stops; the reason is kept.
 */
export class Lifecycle implements AsyncDisposable {
  readonly #hooks: LifecycleHooks;
  readonly #name: string;
  readonly #stopped = deferred<StopReason>();
  #state: LifecycleState = 'new';
  #starting: Promise<void> | undefined;
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
    try {
      await this.#hooks.start();
    } catch (error) {
      // The caller of start gets the error; a failing release behind it would only hide it.
      await this.stop({ why: 'it could not start', error }).catch(() => {});
      throw error;
    }
    if (this.#state === 'starting') this.#state = 'running';
  }

  async #stop(reason: StopReason): Promise<void> {
    this.#reason = reason;
    const was = this.#state;
    this.#state = 'stopping';
    try {
      if (was !== 'new') await this.#hooks.stop(reason);
    } finally {
      this.#state = 'stopped';
      this.#stopped.resolve(reason);
    }
  }
}
