import { CallContext, context } from './context.ts';
import { cloneError } from './clone.ts';
import { Outbox, isPrimitive } from './outbox.ts';
import type { Post } from './outbox.ts';
import { packError, unpackError } from './packed-error.ts';
import type { Request, Response } from './protocol.ts';
import { resolve } from './reference.ts';
import type { AnyFunction, Reference } from './registry.ts';
import { takeTransfers } from './transfer.ts';

interface Defined {
  readonly reference: Reference;
  fn?: AnyFunction;
}

/** The worker's side of a host: returns what takes its messages. `end` is called when the starter closes it. */
export function serve(post: Post<Response>, end: () => void): (batch: readonly Request[]) => void {
  const server = new Server(post, end);
  return (batch) => {
    for (const request of batch) server.handle(request);
  };
}

class Server {
  // Answers gather until the check phase: a batch of calls is answered by a batch.
  readonly #outbox: Outbox<Response>;
  readonly #end: () => void;
  readonly #functions = new Map<number, Defined>();
  readonly #running = new Map<number, CallContext>();

  constructor(post: Post<Response>, end: () => void) {
    this.#outbox = new Outbox(post, setImmediate);
    this.#end = end;
  }

  handle(request: Request): void {
    switch (request[0]) {
      case 'define':
        this.#functions.set(request[1], { reference: request[2] });
        return;
      case 'call':
        void this.#run(request[1], this.#functions.get(request[2])!, request[3]);
        return;
      case 'abort':
        this.#running.get(request[1])?.abort(unpackError(request[2]));
        return;
      case 'close':
        this.#outbox.flush();
        this.#end();
    }
  }

  async #run(id: number, defined: Defined, args: readonly unknown[]): Promise<void> {
    const call = new CallContext();
    this.#running.set(id, call);
    try {
      const fn = defined.fn ?? (defined.fn = await resolve(defined.reference));
      // Given up while its module was imported: a function that only listens for `abort` would never hear of it.
      call.throwIfAborted();
      this.#answer(id, await context.run(call, fn as (...args: unknown[]) => unknown, ...args));
    } catch (error) {
      this.#outbox.defer(['failed', id, packError(error)]);
    }
    this.#running.delete(id);
  }

  #answer(id: number, value: unknown): void {
    if (isPrimitive(value)) return this.#outbox.defer(['done', id, value]);
    try {
      this.#outbox.send(['done', id, value], takeTransfers(value));
    } catch (cause) {
      throw cloneError('result', value, cause);
    }
  }
}
