import { cancelledBy, throwIfAborted } from '../base/deadline.ts';
import type { Deferred } from '../base/deferred.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { deferred } from '../base/deferred.ts';
import { cloneError } from './clone.ts';
import type { CallOptions } from './host.ts';
import type { Outbox } from './outbox.ts';
import { isPrimitive } from './outbox.ts';
import { packError, unpackError } from './packed-error.ts';
import type { Request, Response } from './protocol.ts';
import { describe, referenceKey } from './reference.ts';
import type { AnyFunction } from './registry.ts';
import type { Destination } from './shareable.ts';
import { packShareables, unpackShareables } from './shareable.ts';
import { takeTransfers } from './transfer.ts';

interface Call {
  /** Rejects with a Failure, never with an error. */
  readonly result: Deferred<unknown>;
  /** Nobody waits any more, but it still runs. */
  abandoned: boolean;
  forget: () => void;
}

/** Makes the error of a failed call. */
type Failure = () => unknown;

interface CallsOptions {
  readonly outbox: Outbox<Request>;
  readonly destination: Destination;
  /** In words, for remote stacks. */
  readonly name: string;
  /** Told whenever somebody begins or ceases to wait. */
  readonly onWaiting: (waiting: boolean) => void;
}

/** The calling side of a host: numbers the calls, settles them as answers come in, and fails the rest when it ends. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #calls = new Map<number, Call>();
  readonly #functions = new Map<string, number>();
  #refusal: (() => Error) | undefined;
  #next = 0;
  #waiting = 0;
  #idle: Deferred<void> | undefined;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#calls.size;
  }

  async call(fn: AnyFunction, args: readonly unknown[], { signal }: CallOptions = {}): Promise<unknown> {
    if (this.#refusal !== undefined) throw this.#refusal();
    throwIfAborted(signal);
    try {
      return await this.#start(fn, args, signal).result.promise;
    } catch (failure) {
      // Made here and not where the answer came in: the stack then has the callers that await, at no cost to the rest.
      throw typeof failure === 'function' ? (failure as Failure)() : failure;
    }
  }

  receive(batch: readonly Response[]): void {
    for (const [kind, id, outcome, key] of batch) {
      const call = this.#take(id);
      if (kind === 'done')
        call?.result.resolve(key === undefined ? outcome : unpackShareables({ value: outcome, key }));
      else call?.result.reject(() => unpackError(outcome, { from: this.#options.name, stack: callerStack() }));
    }
  }

  /** From now on calls fail with this. */
  refuse(failure: () => Error): void {
    this.#refusal = failure;
  }

  /** Fails whatever is still under way, each call with an error of its own. */
  fail(failure: () => Error): void {
    for (const id of this.#calls.keys()) this.#take(id)?.result.reject(failure);
  }

  /** Settles when nothing runs. */
  idle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle.promise;
  }

  #start(fn: AnyFunction, args: readonly unknown[], signal: AbortSignal | undefined): Call {
    if (!Array.isArray(args)) throw new InvalidArgumentError('args', args, 'an array of arguments');
    const number = this.#define(fn);
    const id = this.#next++;
    this.#send(id, number, args);
    const call: Call = { result: deferred<unknown>(), abandoned: false, forget: () => {} };
    this.#calls.set(id, call);
    this.#wait(1);
    if (signal !== undefined) this.#follow(id, call, signal);
    return call;
  }

  #define(fn: AnyFunction): number {
    const reference = describe(fn);
    const key = referenceKey(reference);
    let number = this.#functions.get(key);
    if (number === undefined) {
      number = this.#functions.size;
      this.#functions.set(key, number);
      this.#options.outbox.defer(['define', number, reference]);
    }
    return number;
  }

  #send(id: number, fn: number, args: readonly unknown[]): void {
    if (args.every(isPrimitive)) return this.#options.outbox.defer(['call', id, fn, args]);
    const packed = packShareables(args, this.#options.destination);
    const request: Request =
      packed === undefined ? ['call', id, fn, args] : ['call', id, fn, packed.value as readonly unknown[], packed.key];
    try {
      this.#options.outbox.send(request, takeTransfers(args));
    } catch (cause) {
      throw cloneError('arguments', args, cause);
    }
  }

  #follow(id: number, call: Call, signal: AbortSignal): void {
    const abort = () => {
      call.forget();
      call.abandoned = true;
      this.#wait(-1);
      this.#options.outbox.defer(['abort', id, packError(signal.reason)]);
      call.result.reject(() => cancelledBy(signal));
    };
    signal.addEventListener('abort', abort, { once: true });
    call.forget = () => signal.removeEventListener('abort', abort);
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id);
    if (call === undefined) return undefined;
    this.#calls.delete(id);
    call.forget();
    if (!call.abandoned) this.#wait(-1);
    if (this.#calls.size === 0) this.#idle?.resolve();
    return call;
  }

  #wait(change: 1 | -1): void {
    this.#waiting += change;
    if (this.#waiting === (change === 1 ? 1 : 0)) this.#options.onWaiting(change === 1);
  }
}

// The frames above the caller's say nothing to it. By name: with source maps the files have other names.
function callerStack(): string {
  const lines = new Error().stack?.split('\n') ?? [];
  return lines.slice(lines.findIndex((line) => / Calls\.call /.test(line)) + 1).join('\n');
}
