import { AsyncLocalStorage } from 'node:async_hooks';
import { onFreshStart } from '../base/fresh-start.ts';
import { getEventListeners, setMaxListeners } from 'node:events';
import type { ClockTimer } from '../base/clock.ts';
import { CancelledError } from '../base/errors.ts';
import { Kernel } from './kernel.ts';
import type { TaskEntry } from './registry.ts';

/** A waiting call of this library as its scope sees it; the links are the scope's. */
export interface Waiting {
  readonly what: string;
  /** Waits for something outside the event loop, so that nothing moving on the clock is no deadlock. */
  readonly external: boolean;
  previous: Waiting | undefined;
  next: Waiting | undefined;
  /** Delivers `error`; false if the wait is over already. */
  cancel(error: CancelledError): boolean;
  /** Ends it because its scope has ended. */
  leaveBehind(error: CancelledError): void;
}

/** A call that has been begun, with the promise its caller was given. */
export interface Begun {
  readonly promise: Promise<unknown> | undefined;
}

const scopes = new AsyncLocalStorage<Scope | undefined>();

/** What work outside any `run` belongs to. */
export const defaultKernel = new Kernel();
onFreshStart(() => defaultKernel.forget());

export function currentScope(): Scope | undefined {
  return scopes.getStore();
}

export function currentKernel(): Kernel {
  return scopes.getStore()?.kernel ?? defaultKernel;
}

export function runIn<T>(scope: Scope, fn: () => T): T {
  return scopes.run(scope, fn);
}

/** Runs what outlives the task that happens to begin it: its waits are of no task. */
export function runOutside<P extends unknown[], T>(fn: (...args: P) => T, ...args: P): T {
  return scopes.run(undefined, fn, ...args);
}

/**
 * A stretch of a task's work that can be cancelled by itself: the whole task, or the body of a timeout or task group
 * in it. The current one travels with the asynchronous context, so every waiting call below it finds it.
 *
 * A request to cancel is delivered once: to the calls that wait in the scope, to whoever listens to its signal, or else
 * to the next call that waits. Code that swallows it goes on.
 */
export class Scope {
  readonly kernel: Kernel;
  readonly parent: Scope | undefined;
  readonly task: TaskEntry | undefined;
  /** Values of the context variables, on the root; replaced as a whole, so that tasks may share them. */
  variables: ReadonlyMap<object, unknown> | undefined;
  #first: Waiting | undefined;
  // Most scopes are never cancelled, and there is one for each task: what only some need stands apart.
  #rare: Rare | undefined;

  constructor(kernel: Kernel, task: TaskEntry | undefined, parent?: Scope) {
    this.kernel = kernel;
    this.task = task;
    this.parent = parent;
    this.variables = undefined;
    this.#first = undefined;
    this.#rare = undefined;
    if (parent !== undefined) parent.#own().children.add(this);
  }

  /** The scope of the whole task; it holds what all scopes of the task share. */
  get root(): Scope {
    return this.parent === undefined ? this : this.parent.root;
  }

  /** Requests to cancel this very scope that were not taken back. */
  get requests(): number {
    return this.#rare?.requests ?? 0;
  }

  /** Requests to any scope of the task, which is what `task.cancelling()` tells. */
  get cancelling(): number {
    return this.root.#rare?.cancelling ?? 0;
  }

  /** Follows cancellation for code that is not of this library; a new one once a request was delivered. */
  get signal(): AbortSignal {
    const rare = this.#own();
    const owed = this.#owed();
    if (rare.controller === undefined || (rare.controller.signal.aborted && owed === undefined)) {
      rare.controller = new AbortController();
      setMaxListeners(0, rare.controller.signal);
    }
    if (owed !== undefined) rare.controller.abort(owed);
    return rare.controller.signal;
  }

  /**
   * For a wait of the library that follows a signal, as those on descriptors, processes and shared objects do: to ask for
   * it is to come to wait, so that what was delivered counts as heeded. What is still owed comes as a signal that is aborted.
   */
  get waitSignal(): AbortSignal {
    const owed = this.takeOwed();
    return owed === undefined ? this.signal : AbortSignal.abort(owed);
  }

  /** The call whose body this scope is; its promise may have been begun early and never be awaited. */
  set call(call: Begun) {
    this.#own().call = call;
  }

  /** Called when the scope is given up; a root tells its task instead. */
  set onDetach(fn: (error: CancelledError) => void) {
    this.#own().onDetach = fn;
  }

  cancel(message: string | undefined): void {
    const rare = this.#own();
    rare.requests++;
    this.root.#own().cancelling++;
    // asyncio merges a request with one whose receiver has not run yet.
    if (!rare.delivering && !rare.detached) this.#deliver(rare, new CancelledError(message));
  }

  /** Takes one request back; with the last one, also what was not delivered. */
  uncancel(): void {
    const rare = this.#rare;
    if (rare === undefined || rare.requests === 0) return;
    rare.requests--;
    this.root.#own().cancelling--;
    if (rare.requests > 0) return;
    rare.pending = undefined;
    rare.heard = undefined;
    stopGrace(rare);
  }

  /** Requests to the scopes around this one. */
  requestsAbove(): number {
    return this.parent === undefined ? 0 : this.parent.requests + this.parent.requestsAbove();
  }

  /** Another error took the place of the cancellation that was delivered: the next wait shall see it again. */
  redeliver(): void {
    if (this.requests > 0) this.#own().pending ??= new CancelledError();
    else this.parent?.redeliver();
  }

  /** What a wait that begins here must receive, which is then delivered. To wait here is also to be heard of again. */
  takeOwed(): CancelledError | undefined {
    const above = this.parent?.takeOwed();
    const rare = this.#rare;
    if (rare === undefined) return above;
    if (above !== undefined) rare.pardon();
    stopGrace(rare);
    rare.heard = undefined;
    const own = this.takePending();
    return own ?? above ?? (rare.detached ? detachedError() : undefined);
  }

  /** Takes an undelivered request of this very scope, if there is one. */
  takePending(): CancelledError | undefined {
    const error = this.#rare?.pending;
    if (error !== undefined) this.#rare!.pending = undefined;
    return error;
  }

  /** Whether a wait that begins here would be cancelled. */
  get owes(): boolean {
    return this.#owed() !== undefined;
  }

  enter(wait: Waiting): void {
    wait.next = this.#first;
    if (this.#first !== undefined) this.#first.previous = wait;
    this.#first = wait;
  }

  leave(wait: Waiting): void {
    if (wait.previous !== undefined) wait.previous.next = wait.next;
    else if (this.#first === wait) this.#first = wait.next;
    if (wait.next !== undefined) wait.next.previous = wait.previous;
    wait.previous = undefined;
    wait.next = undefined;
  }

  /** The waits in this scope and the scopes within it, the latest first. */
  waits(): Waiting[] {
    const found: Waiting[] = [];
    for (let wait = this.#first; wait !== undefined; wait = wait.next) found.push(wait);
    for (const child of this.#rare?.children ?? []) for (const wait of child.waits()) found.push(wait);
    return found;
  }

  /** Ends the scope; what is undelivered dies with it. */
  close(): void {
    if (this.#rare !== undefined) {
      this.#rare.pending = undefined;
      this.#rare.heard = undefined;
      stopGrace(this.#rare);
    }
    if (this.#first !== undefined) {
      const over = new CancelledError('what it waited in is over');
      for (const wait of this.waits()) wait.leaveBehind(over);
    }
    this.#pardonWithin();
    if (this.parent === undefined) return;
    this.parent.#own().children.delete(this);
    while (this.requests > 0) this.uncancel();
  }

  #own(): Rare {
    this.#rare ??= new Rare();
    return this.#rare;
  }

  #deliver(rare: Rare, error: CancelledError): void {
    let received = false;
    for (const wait of this.waits().reverse()) if (wait.cancel(error)) received = true;
    this.#pardonWithin();
    const heard = this.#abort(error);
    if (!received) this.#startGrace(rare);
    if (!received && !heard) rare.pending = error;
    else awaitReceiver(rare);
    if (!received && heard) this.#unlessHeeded(rare, error);
  }

  // Whoever listens may have nothing to do with what is awaited (fetch listens until it is collected): unless the task
  // comes to wait or ends at once, as code does that follows the signal, the request is still owed.
  #unlessHeeded(rare: Rare, error: CancelledError): void {
    rare.heard = error;
    setImmediate(() =>
      setImmediate(() => {
        if (rare.heard !== error) return;
        rare.heard = undefined;
        rare.pending ??= error;
      }),
    );
  }

  // A timeout or group begun early may never be awaited, since who was to do so is cancelled as well or has ended.
  #pardonWithin(): void {
    for (const child of this.#rare?.children ?? []) {
      child.#rare?.pardon();
      child.#pardonWithin();
    }
  }

  #abort(error: CancelledError): boolean {
    let heard = false;
    const controller = this.#rare?.controller;
    if (controller !== undefined && !controller.signal.aborted) {
      heard = followed(controller.signal);
      controller.abort(error);
    }
    for (const child of this.#rare?.children ?? []) if (child.#abort(error)) heard = true;
    return heard;
  }

  #owed(): CancelledError | undefined {
    if (this.#rare?.pending !== undefined) return this.#rare.pending;
    if (this.#rare?.detached === true) return detachedError();
    return this.parent === undefined ? undefined : this.parent.#owed();
  }

  #startGrace(rare: Rare): void {
    const { cancelGrace, clock } = this.kernel;
    if (rare.grace === undefined && cancelGrace !== Infinity) {
      rare.grace = clock.setTimer(cancelGrace, () => this.#overdue(rare));
    }
  }

  #overdue(rare: Rare): void {
    rare.grace = undefined;
    rare.detached = true;
    // Never taken back: what still runs in there must not go on without waiting either.
    undelivered++;
    const name = this.task?.name ?? 'a callback';
    const seconds = this.kernel.cancelGrace;
    this.kernel.report({
      message: `Task '${name}' has ignored its cancellation for ${seconds} s: what it awaits does not follow its signal; detached`,
      future: this.task,
    });
    const error = new CancelledError(`'${name}' ignored its cancellation for ${seconds} s and was detached`);
    if (rare.onDetach === undefined) this.task?.giveUp(error);
    else rare.onDetach(error);
  }
}

// Requests that nobody has received, in all scopes together: mostly none, which costs a call that need not wait one look.
let undelivered = 0;

/** Whether a call that could go on without waiting must wait, to receive a cancellation. */
export function owesCancellation(): boolean {
  return undelivered > 0 && currentScope()?.owes === true;
}

class Rare {
  requests = 0;
  cancelling = 0;
  #pending: CancelledError | undefined;

  /** The request nobody has received. */
  get pending(): CancelledError | undefined {
    return this.#pending;
  }

  set pending(error: CancelledError | undefined) {
    undelivered += Number(error !== undefined) - Number(this.#pending !== undefined);
    this.#pending = error;
  }

  /** The request somebody who listened was told of, until the next wait shows that it was heeded. */
  heard: CancelledError | undefined;
  /** A request was delivered and its receiver has not run yet. */
  delivering = false;
  /** Given up: whatever waits here from now on is cancelled. */
  detached = false;
  onDetach: ((error: CancelledError) => void) | undefined;
  controller: AbortController | undefined;
  grace: ClockTimer | undefined;
  call: Begun | undefined;
  readonly children = new Set<Scope>();

  pardon(): void {
    this.call?.promise?.catch(() => {});
  }
}

// What AbortSignal.any was made of has no listeners: Node keeps what depends on a signal under a symbol of its own.
function followed(signal: AbortSignal): boolean {
  if (getEventListeners(signal, 'abort').length > 0) return true;
  const key = Object.getOwnPropertySymbols(signal).find((each) => each.description === 'kDependantSignals');
  const dependants = key === undefined ? undefined : (Reflect.get(signal, key) as Set<unknown> | null | undefined);
  return (dependants?.size ?? 0) > 0;
}

const resolved = Promise.resolve();

// The reaction to a rejected wait is queued before this one.
function awaitReceiver(rare: Rare): void {
  rare.delivering = true;
  void resolved.then(() => {
    rare.delivering = false;
  });
}

function stopGrace(rare: Rare): void {
  rare.grace?.cancel();
  rare.grace = undefined;
}

function detachedError(): CancelledError {
  return new CancelledError('detached: it ignored its cancellation');
}
