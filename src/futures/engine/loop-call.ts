import { CallContext } from '../../callable/context.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import type { Call, Limits, Sink } from './job.ts';
import { HOSTED, nobody, OVER, QUEUED } from './job.ts';

/** What deals with such a call. */
interface LoopOwner {
  revoke(call: LoopCall, running: boolean): boolean;
  tell(call: LoopCall, reason: Error): void;
}

/** A call that runs where it was made. */
export class LoopCall extends CallContext implements Call {
  readonly fn: AnyFunction;
  args: readonly unknown[];
  sink: Sink;
  state = QUEUED;
  /** Its slot. */
  at = 0;
  /** Since when it waits (0: it did not), or runs. */
  since = 0;
  limits: Limits | undefined = undefined;
  timer: NodeJS.Timeout | undefined = undefined;
  told = false;
  readonly #owner: LoopOwner;

  constructor(owner: LoopOwner, fn: AnyFunction, args: readonly unknown[], sink: Sink) {
    super();
    this.#owner = owner;
    this.fn = fn;
    this.args = args;
    this.sink = sink;
  }

  running(): boolean {
    return this.state === HOSTED;
  }

  revoke(running: boolean): boolean {
    return this.#owner.revoke(this, running);
  }

  tell(reason: Error): void {
    this.#owner.tell(this, reason);
  }

  /** Its sink has been told already; how it ends is told nobody. */
  abandon(): Sink {
    const { sink } = this;
    this.sink = nobody;
    return sink;
  }

  get abandoned(): boolean {
    return this.sink === nobody;
  }

  /** Calls `then` in so many seconds unless it has ended. */
  expire(seconds: number, then: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(then, Math.min(2 ** 31 - 1, seconds * 1000));
  }

  over(): void {
    this.state = OVER;
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.limits?.forget?.();
    this.args = none;
  }
}

const none: readonly unknown[] = [];
