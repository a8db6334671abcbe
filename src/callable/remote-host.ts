import { inspect } from 'node:util';
import type { WaitOptions } from '../base/deadline.ts';
import { within } from '../base/deadline.ts';
import { deferred } from '../base/deferred.ts';
import { BrokenError, ClosedError } from '../base/errors.ts';
import { Calls } from './calls.ts';
import type { CallOptions, Host, HostExit } from './host.ts';
import type { Post } from './outbox.ts';
import { Outbox } from './outbox.ts';
import type { Request, Response } from './protocol.ts';
import type { AnyFunction } from './registry.ts';
import type { Destination } from './shareable.ts';

/** What threads and processes differ in. */
export interface Endpoint {
  readonly name: string;
  readonly kind: Destination;
  readonly post: Post<Request>;
  /** Whether it keeps the program alive. */
  hold(held: boolean): void;
  kill(): void;
  /** `exit` comes once, after the last response. */
  listen(respond: (batch: readonly Response[]) => void, exit: (exit: Omit<HostExit, 'why'>) => void): void;
}

/** The life of a host over any endpoint. */
export abstract class RemoteHost implements Host {
  readonly name: string;
  readonly #endpoint: Endpoint;
  readonly #calls: Calls;
  readonly #outbox: Outbox<Request>;
  readonly #exited = deferred<HostExit>();
  #state: 'open' | 'draining' | 'closed' | 'terminated' = 'open';
  #exit: HostExit | undefined;
  #waiting = false;

  protected constructor(endpoint: Endpoint) {
    this.name = endpoint.name;
    this.#endpoint = endpoint;
    this.#outbox = new Outbox(endpoint.post, queueMicrotask);
    this.#calls = new Calls({
      outbox: this.#outbox,
      destination: endpoint.kind,
      name: endpoint.name,
      onWaiting: (waiting) => {
        this.#waiting = waiting;
        this.#hold();
      },
    });
    endpoint.listen(
      (batch) => this.#calls.receive(batch),
      (exit) => this.#ended(exit),
    );
    this.#hold();
  }

  get running(): number {
    return this.#calls.running;
  }

  get exited(): Promise<HostExit> {
    return this.#exited.promise;
  }

  call<F extends AnyFunction>(fn: F, args: Parameters<F>, options?: CallOptions): Promise<Awaited<ReturnType<F>>> {
    return this.#calls.call(fn, args, options) as Promise<Awaited<ReturnType<F>>>;
  }

  async close(options: WaitOptions = {}): Promise<void> {
    if (this.#state === 'open') this.#leave('draining');
    await within(this.#drain(), { ...options, what: `closing ${this.name}` });
  }

  async terminate(): Promise<HostExit> {
    // Each Worker.terminate listens for its end anew.
    if (this.#exit === undefined && this.#state !== 'terminated') {
      this.#leave('terminated');
      this.#endpoint.kill();
    }
    return this.exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #leave(state: 'draining' | 'terminated'): void {
    this.#state = state;
    this.#calls.refuse(() => new ClosedError(`${this.name} is closed`));
    this.#hold();
  }

  async #drain(): Promise<void> {
    await this.#calls.idle();
    if (this.#state === 'draining' && this.#exit === undefined) {
      this.#state = 'closed';
      this.#outbox.defer(['close']);
      this.#outbox.flush();
    }
    await this.exited;
  }

  // Held while somebody waits for a call or for the end; idle it must not keep the program alive.
  #hold(): void {
    if (this.#exit === undefined) this.#endpoint.hold(this.#waiting || this.#state !== 'open');
  }

  #ended(exit: Omit<HostExit, 'why'>): void {
    const why = this.#state === 'open' || this.#state === 'draining' ? 'died' : this.#state;
    const ended: HostExit = { why, ...exit };
    this.#exit = ended;
    if (why === 'died') this.#calls.refuse(() => this.#broken(ended));
    this.#calls.fail(() => this.#broken(ended));
    this.#exited.resolve(ended);
  }

  #broken(exit: HostExit): BrokenError {
    return new BrokenError(`${this.name} ${storyOf(exit)}`, 'error' in exit ? { cause: exit.error } : {});
  }
}

function storyOf(exit: HostExit): string {
  if (exit.why === 'terminated') return 'was terminated';
  if (exit.error !== undefined && exit.code === null) return `could not start: ${show(exit.error)}`;
  if (exit.error !== undefined) return `died of an uncaught exception: ${show(exit.error)}`;
  return exit.signal === null ? `exited with code ${exit.code}` : `was killed by ${exit.signal}`;
}

function show(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
}
