import { CallContext, context } from './context.ts';
import { cloneError } from './clone.ts';
import { Outbox, isPrimitive } from './outbox.ts';
import type { Post } from './outbox.ts';
import { packError, unpackError } from './packed-error.ts';
import type { Request, Response } from './protocol.ts';
import { resolve } from './reference.ts';
import type { AnyFunction, Reference } from './registry.ts';
import type { Destination } from './shareable.ts';
import { packShareables, unpackShareables } from './shareable.ts';
import { takeTransfers } from './transfer.ts';

interface Defined {
  readonly reference: Reference;
  fn?: AnyFunction;
}

/** The worker's side of a host: returns what takes its messages. `end` is called when the starter closes it. */
export function serve(
  post: Post<Response>,
  end: () => void,
  destination: Destination,
): (batch: readonly Request[]) => void {
  const server = new Server(post, end, destination);
  return (batch) => {
    for (const request of batch) server.handle(request);
  };
}

class Server {
  // Answers gather until the check phase: a batch of calls is answered by a batch.
  readonly #outbox: Outbox<Response>;
  readonly #end: () => void;
  readonly #destination: Destination;
  readonly #functions = new Map<number, Defined>();
  readonly #running = new Map<number, CallContext>();

  constructor(post: Post<Response>, end: () => void, destination: Destination) {
    this.#outbox = new Outbox(post, setImmediate);
    this.#end = end;
    this.#destination = destination;
  }

  handle(request: Request): void {
    switch (request[0]) {
      case 'define':
        this.#functions.set(request[1], { reference: request[2] });
        return;
      case 'call':
        void this.#run(request[1], this.#functions.get(request[2])!, request[3], request[4]);
        return;
      case 'abort':
        this.#running.get(request[1])?.abort(unpackError(request[2]));
        return;
      case 'close':
        this.#outbox.flush();
        this.#end();
    }
  }

  async #run(id: number, defined: Defined, sent: readonly unknown[], key?: string): Promise<void> {
    const call = new CallContext();
    this.#running.set(id, call);
    try {
      const fn = defined.fn ?? (defined.fn = await resolve(defined.reference));
      const args = key === undefined ? sent : ((await unpackShareables({ value: sent, key })) as readonly unknown[]);
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
      const packed = packShareables(value, this.#destination);
      this.#outbox.send(
        packed === undefined ? ['done', id, value] : ['done', id, packed.value, packed.key],
        takeTransfers(value),
      );
    } catch (cause) {
      throw cloneError('result', value, cause);
    }
  }
}
