import { randomBytes } from 'node:crypto';
import { portable } from '../callable/portable.ts';
import { ProcessHost } from '../callable/process-host.ts';
import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { Referents } from './manager-server.ts';
import type { ServerAddress } from './object-link.ts';
import { callServed, disconnect } from './object-link.ts';
import type { ElementOf, TypeCode } from './type-codes.ts';

/** A proxy's methods are the object's, each with a promise of its result. */
export type Proxy<T> = {
  readonly [K in keyof T & string]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
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
  return new SyncManager(host, { address, authkey, what: 'the manager' });
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

  JoinableQueue<V = unknown>(maxsize = 0): Promise<Proxy<Referents<V>['queue']>> {
    return this.#create('queue', [maxsize]);
  }

  Lock(): Promise<Proxy<Referents['lock']>> {
    return this.#create('lock', []);
  }

  /** Its owner is a process, all its tasks together. */
  RLock(): Promise<Proxy<Referents['rlock']>> {
    return this.#create('rlock', []);
  }

  Semaphore(value = 1): Promise<Proxy<Referents['semaphore']>> {
    return this.#create('semaphore', [value, false]);
  }

  BoundedSemaphore(value = 1): Promise<Proxy<Referents['semaphore']>> {
    return this.#create('semaphore', [value, true]);
  }

  Condition(): Promise<Proxy<Referents['condition']>> {
    return this.#create('condition', []);
  }

  Barrier(parties: number): Promise<Proxy<Referents['barrier']>> {
    return this.#create('barrier', [parties]);
  }

  Event(): Promise<Proxy<Referents['event']>> {
    return this.#create('event', []);
  }

  Value<V = unknown>(value: V): Promise<Proxy<Referents<V>['value']>> {
    return this.#create('value', [value]);
  }

  /** Numbers of one type, of fixed length. */
  Array<C extends TypeCode>(type: C, items: readonly ElementOf<C>[]): Promise<Proxy<Referents<unknown, C>['array']>> {
    return this.#create('array', [type, items]);
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
    const id = (await callServed(this.#server, 0, kind, args)) as number;
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
      return (...args: unknown[]) => callProxied(server, id, name, args);
    },
  }) as Proxy<T>;
}

// Options that end a wait: their signal stays here, and is told.
function callProxied(server: ServerAddress, id: number, name: string, args: readonly unknown[]): Promise<unknown> {
  const last = args.at(-1);
  if (typeof last !== 'object' || last === null || !('signal' in last)) return callServed(server, id, name, args);
  const { signal, ...rest } = last as { signal?: AbortSignal };
  if (!(signal instanceof AbortSignal)) return callServed(server, id, name, args);
  return callServed(server, id, name, [...args.slice(0, -1), rest], signal);
}

onArrival('multiprocessing.Proxy', ({ server, id }: { server: ServerAddress; id: number }) => proxy(server, id));
