import { Event } from '../asyncio/event.ts';
import { Lock } from '../asyncio/lock.ts';
import { Queue } from '../asyncio/queue.ts';
import { EmptyError, InvalidArgumentError, NotFoundError } from '../base/errors.ts';
import { uuid } from '../base/ids.ts';
import { packError } from '../callable/packed-error.ts';
import type { FramedConnection } from '../ipc/framed-connection.ts';
import type { Address } from './listener.ts';
import { Listener } from './listener.ts';

/** Number of the call, of the object (0 makes one), method and arguments. */
export type Request = readonly [call: number, id: number, method: string, args: readonly unknown[]];
export type Response = readonly [call: number, failed: boolean, outcome: unknown];

/** What a manager can hold, by kind. */
export interface Referents<V = unknown> {
  readonly dict: Dict<V>;
  readonly list: List<V>;
  readonly queue: ManagedQueue<V>;
  readonly lock: ManagedLock;
  readonly event: ManagedEvent;
  readonly value: Cell<V>;
}

class Dict<V> {
  readonly #entries: Map<string, V>;

  constructor(entries: Readonly<Record<string, V>>) {
    this.#entries = new Map(Object.entries(entries));
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.set(key, value);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  setdefault(key: string, value: V): V {
    if (!this.#entries.has(key)) this.#entries.set(key, value);
    return this.#entries.get(key)!;
  }

  update(entries: Readonly<Record<string, V>>): void {
    for (const [key, value] of Object.entries(entries)) this.#entries.set(key, value);
  }

  size(): number {
    return this.#entries.size;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  values(): V[] {
    return [...this.#entries.values()];
  }

  items(): [string, V][] {
    return [...this.#entries];
  }

  clear(): void {
    this.#entries.clear();
  }
}

class List<V> {
  readonly #items: V[];

  constructor(items: readonly V[]) {
    this.#items = [...items];
  }

  get(index: number): V {
    return this.#items[this.#at(index)]!;
  }

  set(index: number, value: V): void {
    this.#items[this.#at(index)] = value;
  }

  append(value: V): void {
    this.#items.push(value);
  }

  extend(values: readonly V[]): void {
    this.#items.push(...values);
  }

  pop(index = -1): V {
    if (this.#items.length === 0) throw new EmptyError('pop from an empty list');
    return this.#items.splice(this.#at(index), 1)[0]!;
  }

  length(): number {
    return this.#items.length;
  }

  all(): V[] {
    return [...this.#items];
  }

  #at(index: number): number {
    const at = index < 0 ? this.#items.length + index : index;
    if (Number.isInteger(at) && at >= 0 && at < this.#items.length) return at;
    throw new InvalidArgumentError('index', index, `a whole number within the ${this.#items.length} items`);
  }
}

interface Timeout {
  readonly timeout?: number;
}

class ManagedQueue<V> {
  readonly #queue: Queue<V>;

  constructor(maxsize: number) {
    this.#queue = new Queue<V>(maxsize);
  }

  async put(item: V, options?: Timeout): Promise<void> {
    await this.#queue.put(item, options);
  }

  async get(options?: Timeout): Promise<V> {
    return this.#queue.get(options);
  }

  putNowait(item: V): void {
    this.#queue.putNowait(item);
  }

  getNowait(): V {
    return this.#queue.getNowait();
  }

  qsize(): number {
    return this.#queue.qsize();
  }
}

class ManagedLock {
  readonly #lock = new Lock();

  async acquire(options?: Timeout): Promise<true> {
    return this.#lock.acquire(options);
  }

  tryAcquire(): boolean {
    return this.#lock.tryAcquire();
  }

  release(): void {
    this.#lock.release();
  }

  locked(): boolean {
    return this.#lock.locked();
  }
}

class ManagedEvent {
  readonly #event = new Event();

  set(): void {
    this.#event.set();
  }

  clear(): void {
    this.#event.clear();
  }

  isSet(): boolean {
    return this.#event.isSet();
  }

  async wait(options?: Timeout): Promise<true> {
    return this.#event.wait(options);
  }
}

class Cell<V> {
  #value: V;

  constructor(value: V) {
    this.#value = value;
  }

  get(): V {
    return this.#value;
  }

  set(value: V): void {
    this.#value = value;
  }
}

type Maker = (...args: never[]) => object;

const makers: Readonly<Record<string, Maker>> = {
  dict: (entries: Readonly<Record<string, unknown>>) => new Dict(entries),
  list: (items: readonly unknown[]) => new List(items),
  queue: (maxsize: number) => new ManagedQueue(maxsize),
  lock: () => new ManagedLock(),
  event: () => new ManagedEvent(),
  value: (value: unknown) => new Cell(value),
};

const objects = new Map<number, object>();

/** Serves objects of this process; gives the address. */
export async function serveObjects(authkey: string): Promise<Address> {
  // An abstract name leaves no file behind, however this process ends.
  const name = process.platform === 'linux' ? { address: `\0simul-${uuid()}` } : {};
  const listener = await Listener.open({ ...name, authkey });
  void acceptAll(listener);
  return listener.address;
}

async function acceptAll(listener: Listener): Promise<void> {
  for (;;) {
    try {
      void serve(await listener.accept());
    } catch (error) {
      // One with another key, or who hung up.
      if ((error as Error).name === 'ClosedError') return;
    }
  }
}

async function serve(connection: FramedConnection): Promise<void> {
  for await (const request of connection as AsyncIterable<Request>) void answer(connection, request);
}

async function answer(connection: FramedConnection, [call, id, method, args]: Request): Promise<void> {
  let response: Response;
  try {
    response = [call, false, id === 0 ? make(method, args) : await invoke(id, method, args)];
  } catch (error) {
    response = [call, true, packError(error)];
  }
  await connection.send(response).catch(() => {});
}

function make(kind: string, args: readonly unknown[]): number {
  const maker = Object.hasOwn(makers, kind) ? makers[kind] : undefined;
  if (maker === undefined) throw new InvalidArgumentError('kind', kind, Object.keys(makers).join(', '));
  const id = objects.size + 1;
  objects.set(id, maker(...(args as never[])));
  return id;
}

// Only the methods that the object's own class has.
function invoke(id: number, method: string, args: readonly unknown[]): unknown {
  const object = objects.get(id);
  if (object === undefined) throw new NotFoundError(`the manager has no object ${id}`);
  const prototype = Object.getPrototypeOf(object) as Record<string, unknown>;
  if (method === 'constructor' || !Object.hasOwn(prototype, method)) {
    throw new NotFoundError(`a managed ${object.constructor.name} has no method ${method}`);
  }
  return (prototype[method] as (...args: readonly unknown[]) => unknown).apply(object, [...args]);
}
