import type { BoundedOptions, WaitKind } from './wait.ts';
import { Wait } from './wait.ts';

/** A wait with its place in a queue; the links are the queue's. */
export class QueuedWait<T> extends Wait<T> {
  ahead: QueuedWait<T> | undefined = undefined;
  behind: QueuedWait<T> | undefined = undefined;
  queued = false;
}

/** Waits in the order in which they came. One that ends unserved leaves by itself, in constant time. */
export class WaitQueue<T> implements WaitKind<T> {
  #first: QueuedWait<T> | undefined;
  #last: QueuedWait<T> | undefined;
  #size = 0;
  /** Served by something outside the loop; see `Waiting`. */
  readonly external: boolean;

  constructor(options: { readonly external?: boolean } = {}) {
    this.external = options.external ?? false;
  }

  get size(): number {
    return this.#size;
  }

  /** Stands at the end of the queue until served; look at `settled`, for it may have ended before it stood there. */
  park(what: string, options?: BoundedOptions, kind: WaitKind<T> = this): QueuedWait<T> {
    const wait = new QueuedWait<T>(what, options, kind);
    if (!wait.settled) this.#append(wait);
    return wait;
  }

  /** Takes the first out, to be served. */
  shift(): QueuedWait<T> | undefined {
    const first = this.#first;
    if (first !== undefined) this.#remove(first);
    return first;
  }

  abandon(wait: Wait<T>): void {
    this.#remove(wait as QueuedWait<T>);
  }

  #append(wait: QueuedWait<T>): void {
    wait.queued = true;
    wait.ahead = this.#last;
    if (this.#last === undefined) this.#first = wait;
    else this.#last.behind = wait;
    this.#last = wait;
    this.#size++;
  }

  #remove(wait: QueuedWait<T>): void {
    if (!wait.queued) return;
    wait.queued = false;
    if (wait.ahead === undefined) this.#first = wait.behind;
    else wait.ahead.behind = wait.behind;
    if (wait.behind === undefined) this.#last = wait.ahead;
    else wait.behind.ahead = wait.ahead;
    wait.ahead = undefined;
    wait.behind = undefined;
    this.#size--;
  }
}
