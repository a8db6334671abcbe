import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { NotFoundError } from '../base/errors.ts';
import { packError } from '../callable/packed-error.ts';
import type { FramedConnection } from '../ipc/framed-connection.ts';
import type { Address } from './listener.ts';
import { Listener } from './listener.ts';

/** Number of the call, of the object (0 is what makes others), method and arguments; of object -1, the call to give up. */
export type Request = readonly [call: number, id: number, method: string, args: readonly unknown[]];
export type Response = readonly [call: number, failed: boolean, outcome: unknown];

/** The methods of a served object that wait: their last parameter is options, to which the server adds a signal. */
export const waits: unique symbol = Symbol('waits');
/** The method of a served object that hears of the end of a client, told by what `currentClient` gives. */
export const disconnected: unique symbol = Symbol('disconnected');

/** The method of a served object that hears of what a client was to be given, who was gone by then. */
export const undelivered: unique symbol = Symbol('undelivered');

/** An object whose own methods others may call. */
export interface Served {
  readonly [waits]?: readonly string[];
  [disconnected]?(client: object): void;
  [undelivered]?(method: string, outcome: unknown): void;
}

const clients = new AsyncLocalStorage<object>();
const here = {};

/** Who calls: one object a connection, another for this process itself. */
export function currentClient(): object {
  return clients.getStore() ?? here;
}

const gone = new WeakSet();

/** Whether a client that called is gone meanwhile: what it would be given must go to somebody else. */
export function isGone(client: object): boolean {
  return gone.has(client);
}

/** Objects of this process for others to use, over sockets and by number. What a client that dies waits for is given up. */
export class ObjectServer {
  readonly #objects = new Map<number, Served>();
  readonly #options: { readonly address: Address; readonly authkey: string };
  readonly #make: ((kind: string, args: readonly unknown[]) => Served) | undefined;
  #listener: Promise<Listener> | undefined;
  #next = 1;

  /** `make` makes objects for clients; without it they use only what was added here. */
  constructor(
    options: { readonly address: Address; readonly authkey: string },
    make?: (kind: string, args: readonly unknown[]) => Served,
  ) {
    this.#options = options;
    this.#make = make;
  }

  add(object: Served): number {
    const id = this.#next++;
    this.#objects.set(id, object);
    return id;
  }

  /** Begins to listen, once. Does not keep the program alive. */
  listen(): Promise<Address> {
    // In no task: what is served must not end with the one that happened to begin it.
    this.#listener ??= outside.runInAsyncScope(() => this.#open());
    return this.#listener.then((listener) => listener.address);
  }

  async #open(): Promise<Listener> {
    const listener = await Listener.open(this.#options);
    listener.unref();
    void this.#accept(listener);
    return listener;
  }

  async #accept(listener: Listener): Promise<void> {
    for (;;) {
      try {
        void this.#serve(await listener.accept());
      } catch (error) {
        // One with another key, or who hung up.
        if ((error as Error).name === 'ClosedError') return;
      }
    }
  }

  async #serve(connection: FramedConnection): Promise<void> {
    connection.unref();
    const calls = new Map<number, AbortController>();
    for await (const request of connection as AsyncIterable<Request>) {
      if (request[1] === -1) calls.get(request[0])?.abort();
      else void clients.run(connection, () => this.#answer(connection, request, calls));
    }
    gone.add(connection);
    for (const call of calls.values()) call.abort();
    for (const object of this.#objects.values()) object[disconnected]?.(connection);
  }

  async #answer(
    connection: FramedConnection,
    [call, id, method, args]: Request,
    calls: Map<number, AbortController>,
  ): Promise<void> {
    const abort = new AbortController();
    calls.set(call, abort);
    let response: Response;
    try {
      response = [call, false, await this.#invoke(id, method, args, abort.signal)];
    } catch (error) {
      response = [call, true, packError(error)];
    }
    calls.delete(call);
    // That a client is gone may show here before its connection tells of its end.
    await connection.send(response).catch(() => {
      if (!response[1]) this.#objects.get(id)?.[undelivered]?.(method, response[2]);
    });
  }

  // Only the methods that the object's own class has.
  #invoke(id: number, method: string, args: readonly unknown[], signal: AbortSignal): unknown {
    if (id === 0 && this.#make !== undefined) return this.add(this.#make(method, args));
    const object = this.#objects.get(id);
    if (object === undefined) throw new NotFoundError(`there is no object ${id} here`);
    const prototype = Object.getPrototypeOf(object) as Record<string, unknown>;
    const fn = Object.hasOwn(prototype, method) && method !== 'constructor' ? prototype[method] : undefined;
    if (typeof fn !== 'function') throw new NotFoundError(`a ${object.constructor.name} has no method ${method}`);
    const all = [...args];
    if (object[waits]?.includes(method) === true) {
      all[fn.length - 1] = { ...(all[fn.length - 1] as object | undefined), signal };
    }
    return (fn as (...args: readonly unknown[]) => unknown).apply(object, all);
  }
}

const outside = new AsyncResource('SIMULSERVER');
