import { randomBytes } from 'node:crypto';
import { within } from '../base/deadline.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import { BrokenError, ClosedError } from '../base/errors.ts';
import type { Deferred } from '../base/deferred.ts';
import { deferred } from '../base/deferred.ts';
import { endings } from '../base/ending-signals.ts';
import type { PackedError } from '../callable/packed-error.ts';
import { unpackError } from '../callable/packed-error.ts';
import { portable } from '../callable/portable.ts';
import { ProcessHost } from '../callable/process-host.ts';
import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { registerAtFork } from '../os/at-fork.ts';
import type { FramedConnection } from '../ipc/framed-connection.ts';
import type { Address } from './listener.ts';
import { connectTo } from './listener.ts';
import type { Referents, Request, Response } from './manager-server.ts';

/** A proxy's methods are the object's, each with a promise of its result. */
export type Proxy<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
} & Shareable;

/**
 * Objects that live in a process of their own, and proxies for them that can be passed to any process: dictionaries, lists,
 * namespaces, queues. Slower than shared memory, and for values of any kind and size.
 * BrokenError when its process is gone. (multiprocessing.Manager)
 *
 * @example
 * await using manager = await Manager();
 * const scores = await manager.dict<number>({ anna: 1 });
 * await scores.set('ben', 2);
 */
export async function Manager(): Promise<SyncManager> {
  const authkey = randomBytes(32).toString('hex');
  const host = new ProcessHost();
  const address = await host.call(startServer, [authkey]);
  return new SyncManager(host, { address, authkey });
}

interface ServerAddress {
  readonly address: Address;
  readonly authkey: string;
}

/** What `Manager` gives: makes objects in its process. */
export class SyncManager implements AsyncDisposable {
  readonly #host: ProcessHost;
  readonly #server: ServerAddress;

  /** @internal */
  constructor(host: ProcessHost, server: ServerAddress) {
    this.#host = host;
    this.#server = server;
  }

  get pid(): number | undefined {
    return this.#host.pid;
  }

  dict<V = unknown>(entries: Readonly<Record<string, V>> = {}): Promise<Proxy<Referents<V>['dict']>> {
    return this.#create('dict', [entries]);
  }

  list<V = unknown>(items: readonly V[] = []): Promise<Proxy<Referents<V>['list']>> {
    return this.#create('list', [items]);
  }

  Namespace<V = unknown>(values: Readonly<Record<string, V>> = {}): Promise<Proxy<Referents<V>['dict']>> {
    return this.#create('dict', [values]);
  }

  Queue<V = unknown>(maxsize = 0): Promise<Proxy<Referents<V>['queue']>> {
    return this.#create('queue', [maxsize]);
  }

  Lock(): Promise<Proxy<Referents['lock']>> {
    return this.#create('lock', []);
  }

  Event(): Promise<Proxy<Referents['event']>> {
    return this.#create('event', []);
  }

  Value<V = unknown>(value: V): Promise<Proxy<Referents<V>['value']>> {
    return this.#create('value', [value]);
  }

  /** Ends its process and all objects in it. */
  async shutdown(): Promise<void> {
    disconnect(this.#server);
    await this.#host.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #create<T>(kind: keyof Referents, args: readonly unknown[]): Promise<Proxy<T>> {
    const id = (await call(this.#server, 0, kind, args)) as number;
    return proxy<T>(this.#server, id);
  }
}

const startServer = portable(import.meta, 'startServer', async (authkey: string) => {
  const { serveObjects } = await import('./manager-server.ts');
  return serveObjects(authkey);
});

function proxy<T>(server: ServerAddress, id: number): Proxy<T> {
  const pack = (_to: Destination): PackedShareable => ({
    kind: 'multiprocessing.Proxy',
    module: import.meta.url,
    data: { server, id },
  });
  return new globalThis.Proxy(Object.freeze({}), {
    has: (_target, name) => name === shareable,
    get: (_target, name) => {
      if (name === shareable) return pack;
      // `then` would make it a promise to `await`.
      if (typeof name !== 'string' || name === 'then') return undefined;
      return (...args: unknown[]) => call(server, id, name, args);
    },
  }) as Proxy<T>;
}

onArrival('multiprocessing.Proxy', ({ server, id }: { server: ServerAddress; id: number }) => proxy(server, id));

const calling = new KeepAlive();
const links = new Map<string, Promise<Link>>();
// A forked child and its parent would read each other's answers.
registerAtFork({ afterInChild: () => links.clear() });

function call(server: ServerAddress, id: number, method: string, args: readonly unknown[]): Promise<unknown> {
  const answer = async (): Promise<unknown> => {
    const key = server.authkey;
    let link = links.get(key);
    if (link === undefined) links.set(key, (link = connect(server)));
    try {
      return await (await link).call(id, method, args);
    } catch (error) {
      if (error instanceof BrokenError) links.delete(key);
      throw error;
    }
  };
  // A task that is cancelled waits no longer; the manager does what it was asked all the same.
  return calling.during(within(answer(), endings()));
}

async function connect({ address, authkey }: ServerAddress): Promise<Link> {
  try {
    return new Link(await connectTo(address, { authkey }));
  } catch (cause) {
    throw new BrokenError('the manager is gone', { cause });
  }
}

function disconnect({ authkey }: ServerAddress): void {
  void links.get(authkey)?.then((link) => link.close());
  links.delete(authkey);
}

/** One connection for all proxies of a process; answers come in any order, as some calls wait. */
class Link {
  readonly #connection: FramedConnection;
  readonly #calls = new Map<number, Deferred<unknown>>();
  #next = 0;

  constructor(connection: FramedConnection) {
    this.#connection = connection;
    connection.unref();
    void this.#receive();
  }

  async call(id: number, method: string, args: readonly unknown[]): Promise<unknown> {
    const number = this.#next++;
    const result = deferred<unknown>();
    this.#calls.set(number, result);
    try {
      await this.#connection.send([number, id, method, args] satisfies Request);
    } catch (error) {
      this.#calls.delete(number);
      if (error instanceof ClosedError) throw new BrokenError('the manager is gone', { cause: error });
      throw error;
    }
    return result.promise;
  }

  close(): void {
    void this.#connection.close();
  }

  async #receive(): Promise<void> {
    for await (const [number, failed, outcome] of this.#connection as AsyncIterable<Response>) {
      const result = this.#calls.get(number);
      this.#calls.delete(number);
      if (failed) result?.reject(unpackError(outcome as PackedError, { from: 'the manager' }));
      else result?.resolve(outcome);
    }
    for (const result of this.#calls.values()) result.reject(new BrokenError('the manager is gone'));
    this.#calls.clear();
  }
}
