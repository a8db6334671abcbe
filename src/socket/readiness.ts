import { Wait } from '../asyncio/wait.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { Poll, POLLIN, POLLOUT } from '../os/poll.ts';

/** What a wait tries whenever its descriptor is ready: undefined means that it was not, after all. */
export type Try<T> = () => T | undefined;

/**
 * Those who wait for one descriptor, in order, each with what it tries. The kernel is asked to watch only on the first
 * wait, and goes on watching between two: to stop and start again would cost two system calls a message.
 */
export class Readiness {
  readonly #fd: number;
  readonly #readers = new Line();
  readonly #writers = new Line();
  #poll: Poll | undefined;
  #watched = 0;
  #held = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether anybody waits to read or to write. */
  busy(events: typeof POLLIN | typeof POLLOUT): boolean {
    return this.#line(events).waiting.length > 0;
  }

  /** Tries again and again as the descriptor gets ready for `events`, until there is a result or an error. */
  wait<T>(
    events: typeof POLLIN | typeof POLLOUT,
    what: string,
    attempt: Try<T>,
    options: WaitOptions | undefined,
  ): Promise<T> {
    const line = this.#line(events);
    const wait = new Attempt<T>(what, options, line, attempt);
    if (!wait.settled) {
      line.waiting.push(wait as Attempt<unknown>);
      this.#watch(this.#watched | events);
    }
    return wait.promise;
  }

  ref(): void {
    this.#held = true;
    this.#poll?.ref();
  }

  unref(): void {
    this.#held = false;
    this.#poll?.unref();
  }

  /** Watches no more; who still waits hears `error`. The descriptor stays open. */
  close(error: Error): void {
    this.#poll?.close();
    this.#poll = undefined;
    this.#watched = 0;
    this.#readers.fail(error);
    this.#writers.fail(error);
  }

  failReaders(error: Error): void {
    this.#readers.fail(error);
  }

  #line(events: number): Line {
    return events === POLLIN ? this.#readers : this.#writers;
  }

  #watch(events: number): void {
    if (events === this.#watched) return;
    this.#watched = events;
    if (events === 0) this.#poll?.stop();
    else (this.#poll ??= this.#newPoll()).start(events);
  }

  #newPoll(): Poll {
    const poll = new Poll(
      this.#fd,
      (events) => this.#ready(events),
      (error) => this.close(error),
    );
    return this.#held ? poll : poll.unref();
  }

  #ready(events: number): void {
    // A hang-up is for readers and writers alike: each finds out for itself.
    const forReaders = (events & ~POLLOUT) !== 0;
    const forWriters = (events & ~POLLIN) !== 0;
    const idle = forReaders && this.#readers.waiting.length === 0;
    const served = (forReaders ? this.#readers.serve() : 0) + (forWriters ? this.#writers.serve() : 0);
    if (this.#poll === undefined) return; // closed meanwhile
    const writing = this.#writers.waiting.length > 0;
    const wanted = (idle ? this.#watched & ~POLLIN : this.#watched) & (writing ? ~0 : ~POLLOUT);
    // After an error libuv has stopped watching, and who waits on would do so for ever.
    if (served === 0 && !idle) this.#watched = 0;
    this.#watch(wanted);
  }
}

class Attempt<T> extends Wait<T> {
  readonly attempt: Try<T>;

  constructor(what: string, options: WaitOptions | undefined, line: Line, attempt: Try<T>) {
    super(what, options, line);
    this.attempt = attempt;
  }
}

/** Waits for one direction, first come first served. */
class Line {
  readonly external = true;
  readonly waiting: Attempt<unknown>[] = [];

  abandon(wait: unknown): void {
    const at = this.waiting.indexOf(wait as Attempt<unknown>);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  /** How many got what they wait for. */
  serve(): number {
    let served = 0;
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0], served++) {
      try {
        const result = first.attempt();
        if (result === undefined) return served;
        this.#leave(first);
        first.resolve(result);
      } catch (error) {
        this.#leave(first);
        first.reject(error);
      }
    }
    return served;
  }

  fail(error: Error): void {
    for (const wait of this.waiting.splice(0)) wait.reject(error);
  }

  #leave(wait: Attempt<unknown>): void {
    if (this.waiting[0] === wait) this.waiting.shift();
  }
}
