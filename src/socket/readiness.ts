import { Wait } from '../asyncio/wait.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { ClosedError } from '../base/errors.ts';
import {
  epollAdd,
  epollChange,
  EPOLLERR,
  epollHold,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  epollRemove,
} from '../os/epoll.ts';

/** What a wait tries whenever its descriptor is ready: undefined means that it was not, after all. */
export type Try<T> = () => T | undefined;

// How often in a row a direction is served without a turn of the event loop: a fast peer must not keep all others waiting.
const servedInARow = 64;

/**
 * Those who wait for one descriptor, in order, each with what it tries. Readiness is told once, when it comes; so it is remembered
 * here until an attempt finds nothing more.
 */
export class Readiness {
  readonly reading: Direction = new Direction();
  readonly writing: Direction = new Direction();
  readonly #fd: number;
  #watched = 0;
  #held = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Tries again and again as the descriptor gets ready, until there is a result or an error. */
  wait<T>(direction: Direction, what: string, attempt: Try<T>, options: WaitOptions | undefined): Promise<T> {
    const wait = new Attempt<T>(what, options, direction, attempt);
    if (wait.settled) return wait.promise;
    direction.waiting.push(wait as Attempt<unknown>);
    try {
      this.#watch(direction === this.writing ? EPOLLOUT : 0);
    } catch (error) {
      direction.abandon(wait);
      wait.reject(error);
    }
    // Ready all the while, but it has had its share for this turn.
    if (direction.ready) direction.serveSoon();
    return wait.promise;
  }

  hold(held: boolean): void {
    this.#held = held;
    if (this.#watched !== 0) epollHold(this.#fd, held);
  }

  /** Watches no more, since the descriptor is closed next (`gone`) or given away; who still waits hears a ClosedError. */
  close(message: string, gone: boolean): void {
    if (this.#watched !== 0) epollRemove(this.#fd, gone);
    this.#watched = 0;
    this.reading.fail(message);
    this.writing.fail(message);
  }

  /** From epoll. */
  ready(events: number): void {
    this.reading.newTurn();
    this.writing.newTurn();
    const ended = (events & (EPOLLERR | EPOLLHUP)) !== 0;
    // No further change will tell of the end of a stream: from now on every read looks for itself.
    if ((events & EPOLLRDHUP) !== 0 || ended) this.reading.ended = true;
    if ((events & (EPOLLIN | EPOLLRDHUP)) !== 0 || ended) this.reading.becomeReady();
    if ((events & EPOLLOUT) !== 0 || ended) this.writing.becomeReady();
  }

  /** From epoll. */
  closing(): void {
    this.#watched = 0;
    this.close(`fd ${this.#fd} was closed while being waited for`, true);
  }

  #watch(more: number): void {
    const wanted = EPOLLIN | EPOLLRDHUP | this.#watched | more;
    if (wanted === this.#watched) return;
    if (this.#watched === 0) epollAdd(this.#fd, wanted, this, this.#held);
    else epollChange(this.#fd, wanted);
    this.#watched = wanted;
  }
}

/** One direction of a descriptor: what is known of it, and who waits, first come first served. */
export class Direction {
  /** Kinds of waits ask for it. */
  readonly external = true;
  readonly waiting: Attempt<unknown>[] = [];
  /** Whether an attempt may find something; nobody has looked yet. */
  ready = true;
  /** There is always something to find: the end, or an error. */
  ended = false;
  #inARow = 0;
  #soon = false;

  /** Whether an attempt may be made at once, which then counts. */
  mayTry(): boolean {
    return this.ready && this.waiting.length === 0 && ++this.#inARow <= servedInARow;
  }

  /** The result of an attempt made at once, if it may be made and there is one. */
  try<T>(attempt: Try<T>): T | undefined {
    if (!this.mayTry()) return undefined;
    const result = attempt();
    if (result === undefined) this.emptied();
    return result;
  }

  /** Nothing more can be there until it is told. */
  emptied(): void {
    this.ready = this.ended;
  }

  newTurn(): void {
    this.#inARow = 0;
  }

  becomeReady(): void {
    this.ready = true;
    this.#serve();
  }

  serveSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#serve();
    });
  }

  /** An error is made only for somebody who waits: each costs as much as a small message. */
  fail(message: string): void {
    if (this.waiting.length === 0) return;
    for (const wait of this.waiting.splice(0)) wait.reject(new ClosedError(message));
  }

  /** A wait has ended otherwise. */
  abandon(wait: unknown): void {
    const at = this.waiting.indexOf(wait as Attempt<unknown>);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  #serve(): void {
    this.#inARow = 0;
    for (let first = this.waiting[0]; first !== undefined && this.ready; first = this.waiting[0]) {
      try {
        const result = first.attempt();
        if (result === undefined) return this.emptied();
        this.waiting.shift();
        first.resolve(result);
      } catch (error) {
        this.waiting.shift();
        first.reject(error);
      }
    }
  }
}

class Attempt<T> extends Wait<T> {
  readonly attempt: Try<T>;

  constructor(what: string, options: WaitOptions | undefined, direction: Direction, attempt: Try<T>) {
    super(what, options, direction);
    this.attempt = attempt;
  }
}
