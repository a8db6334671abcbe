import type { Deferred } from '../base/deferred.ts';
import { deferred } from '../base/deferred.ts';
import { within } from '../base/deadline.ts';
import { endingSignals, onAnyAbort, throwIfAnyAborted } from '../base/ending-signals.ts';
import { BrokenError, ClosedError } from '../base/errors.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import type { PackedError } from '../callable/packed-error.ts';
import { unpackError } from '../callable/packed-error.ts';
import type { FramedConnection } from '../ipc/framed-connection.ts';
import { registerAtFork } from '../os/at-fork.ts';
import type { Address } from './listener.ts';
import { connectTo } from './listener.ts';
import type { Request, Response } from './object-server.ts';

/** Where objects are served, and the key. */
export interface ServerAddress {
  readonly address: Address;
  readonly authkey: string;
  /** In words, for errors: "the manager". */
  readonly what: string;
}

const calling = new KeepAlive();
const links = new Map<string, Promise<Link>>();
// A forked child and its parent would read each other's answers.
registerAtFork({ afterInChild: () => links.clear() });

/**
 * Calls a method of a served object. Calls of one thread arrive in order. An abort gives the call up there; if it was done by
 * then, it counts. BrokenError when the server is gone, else what the method throws.
 */
export function callServed(
  server: ServerAddress,
  id: number,
  method: string,
  args: readonly unknown[],
  signal?: AbortSignal,
): Promise<unknown> {
  const key = server.authkey;
  const signals = endingSignals(signal);
  throwIfAnyAborted(signals);
  let link = links.get(key);
  if (link === undefined) links.set(key, (link = connect(server)));
  return calling.during(call(link, key, [id, method, args], signals));
}

async function call(
  connecting: Promise<Link>,
  key: string,
  request: readonly [id: number, method: string, args: readonly unknown[]],
  signals: readonly AbortSignal[],
): Promise<unknown> {
  try {
    const link = await within(connecting, { signals });
    return await link.call(...request, signals);
  } catch (error) {
    if (error instanceof BrokenError && links.get(key) === connecting) links.delete(key);
    throw error;
  }
}

/** Closes the connection to a server, if there is one. */
export function disconnect({ authkey }: ServerAddress): void {
  void links
    .get(authkey)
    ?.then((link) => link.close())
    .catch(() => {});
  links.delete(authkey);
}

async function connect({ address, authkey, what }: ServerAddress): Promise<Link> {
  try {
    return new Link(await connectTo(address, { authkey }), what);
  } catch (cause) {
    throw new BrokenError(`${what} is gone`, { cause });
  }
}

/** One connection for all objects of a server; answers come in any order, as some calls wait. */
class Link {
  readonly #connection: FramedConnection;
  readonly #what: string;
  readonly #calls = new Map<number, Deferred<unknown>>();
  #next = 0;

  constructor(connection: FramedConnection, what: string) {
    this.#connection = connection;
    this.#what = what;
    connection.unref();
    void this.#receive();
  }

  async call(id: number, method: string, args: readonly unknown[], signals: readonly AbortSignal[]): Promise<unknown> {
    throwIfAnyAborted(signals);
    const number = this.#next++;
    const result = deferred<unknown>();
    this.#calls.set(number, result);
    let aborted: Error | undefined;
    const forget = onAnyAbort(signals, (error) => {
      aborted = error;
      void this.#send([number, -1, '', []]).catch(() => {});
    });
    try {
      await this.#send([number, id, method, args]);
      return await result.promise;
    } catch (error) {
      throw aborted ?? error;
    } finally {
      forget();
      this.#calls.delete(number);
    }
  }

  close(): void {
    void this.#connection.close();
  }

  async #send(request: Request): Promise<void> {
    try {
      await this.#connection.send(request);
    } catch (error) {
      throw error instanceof ClosedError ? this.#gone(error) : error;
    }
  }

  async #receive(): Promise<void> {
    for await (const [number, failed, outcome] of this.#connection as AsyncIterable<Response>) {
      const result = this.#calls.get(number);
      if (failed) result?.reject(unpackError(outcome as PackedError, { from: this.#what }));
      else result?.resolve(outcome);
    }
    for (const result of this.#calls.values()) result.reject(this.#gone());
  }

  #gone(cause?: unknown): BrokenError {
    return new BrokenError(`${this.#what} is gone`, cause === undefined ? {} : { cause });
  }
}
