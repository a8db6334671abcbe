import { Barrier } from '../asyncio/barrier.ts';
import { Condition } from '../asyncio/condition.ts';
import { Event } from '../asyncio/event.ts';
import { Lock } from '../asyncio/lock.ts';
import { Queue } from '../asyncio/queue.ts';
import { BoundedSemaphore, Semaphore } from '../asyncio/semaphore.ts';
import { InvalidStateError } from '../base/errors.ts';
import type { Served } from './object-server.ts';
import { currentClient, disconnected, isGone, waits } from './object-server.ts';

interface Waiting {
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** A manager's queue, the joinable one too. */
export class ManagedQueue<V> implements Served {
  readonly [waits] = ['put', 'get', 'join'];
  readonly #queue: Queue<V>;

  constructor(maxsize: number) {
    this.#queue = new Queue<V>(maxsize);
  }

  async put(item: V, options?: Waiting): Promise<void> {
    await this.#queue.put(item, options);
  }

  async get(options?: Waiting): Promise<V> {
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

  empty(): boolean {
    return this.#queue.empty();
  }

  full(): boolean {
    return this.#queue.full();
  }

  taskDone(): void {
    this.#queue.taskDone();
  }

  async join(options?: Waiting): Promise<void> {
    await this.#queue.join(options);
  }
}

/** A manager's lock: freed when the process that took it is gone; anybody may free it before. */
export class ManagedLock implements Served {
  readonly [waits] = ['acquire'];
  readonly #lock = new Lock();
  #holder: object | undefined;

  async acquire(options?: Waiting): Promise<true> {
    const client = currentClient();
    await this.#lock.acquire(options);
    this.#holder = client;
    if (isGone(client)) this.release();
    return true;
  }

  tryAcquire(): boolean {
    if (!this.#lock.tryAcquire()) return false;
    this.#holder = currentClient();
    return true;
  }

  release(): void {
    this.#lock.release();
    this.#holder = undefined;
  }

  locked(): boolean {
    return this.#lock.locked();
  }

  [disconnected](client: object): void {
    if (this.#holder === client) this.release();
  }
}

/** A manager's re-entrant lock: its owner is a process (or thread), all tasks of it together. */
export class ManagedRLock implements Served {
  readonly [waits] = ['acquire'];
  readonly #lock = new Lock();
  #owner: object | undefined;
  #depth = 0;

  async acquire(options?: Waiting): Promise<true> {
    const client = currentClient();
    if (this.#owner !== client) await this.#lock.acquire(options);
    this.#owner = client;
    this.#depth++;
    if (isGone(client)) this.#free();
    return true;
  }

  release(): void {
    if (this.#owner !== currentClient()) throw new InvalidStateError('cannot release a lock of another process');
    if (--this.#depth === 0) this.#free();
  }

  [disconnected](client: object): void {
    if (this.#owner === client) this.#free();
  }

  #free(): void {
    this.#depth = 0;
    this.#owner = undefined;
    this.#lock.release();
  }
}

/** A manager's semaphore: what a process that is gone had taken is given back. */
export class ManagedSemaphore implements Served {
  readonly [waits] = ['acquire'];
  readonly #semaphore: Semaphore;
  readonly #taken = new Map<object, number>();

  constructor(value: number, bounded: boolean) {
    this.#semaphore = bounded ? new BoundedSemaphore(value) : new Semaphore(value);
  }

  async acquire(options?: Waiting): Promise<true> {
    const client = currentClient();
    await this.#semaphore.acquire(options);
    if (isGone(client)) this.#semaphore.release();
    else this.#note(client, 1);
    return true;
  }

  tryAcquire(): boolean {
    if (!this.#semaphore.tryAcquire()) return false;
    this.#note(currentClient(), 1);
    return true;
  }

  release(): void {
    this.#semaphore.release();
    this.#note(currentClient(), -1);
  }

  value(): number {
    return this.#semaphore.value;
  }

  [disconnected](client: object): void {
    for (let left = this.#taken.get(client) ?? 0; left > 0; left--) this.#semaphore.release();
    this.#taken.delete(client);
  }

  #note(client: object, change: number): void {
    const count = (this.#taken.get(client) ?? 0) + change;
    if (count > 0) this.#taken.set(client, count);
    else this.#taken.delete(client);
  }
}

/** A manager's condition: its lock is freed when the process that holds it is gone. */
export class ManagedCondition implements Served {
  readonly [waits] = ['acquire', 'wait'];
  readonly #condition = new Condition();
  #holder: object | undefined;

  async acquire(options?: Waiting): Promise<true> {
    const client = currentClient();
    await this.#condition.acquire(options);
    this.#taken(client);
    return true;
  }

  release(): void {
    this.#check();
    this.#free();
  }

  async wait(options?: Waiting): Promise<true> {
    this.#check();
    const client = currentClient();
    this.#holder = undefined;
    try {
      return await this.#condition.wait(options);
    } finally {
      this.#taken(client);
    }
  }

  notify(count = 1): void {
    this.#check();
    this.#condition.notify(count);
  }

  notifyAll(): void {
    this.#check();
    this.#condition.notifyAll();
  }

  [disconnected](client: object): void {
    if (this.#holder === client) this.#free();
  }

  #check(): void {
    if (this.#holder !== currentClient()) throw new InvalidStateError('the condition is not held by this process');
  }

  #taken(client: object): void {
    this.#holder = client;
    if (isGone(client)) this.#free();
  }

  #free(): void {
    this.#holder = undefined;
    this.#condition.release();
  }
}

/** A manager's event. */
export class ManagedEvent implements Served {
  readonly [waits] = ['wait'];
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

  async wait(options?: Waiting): Promise<true> {
    return this.#event.wait(options);
  }
}

/** A manager's barrier: broken when a process that waits at it is gone. */
export class ManagedBarrier implements Served {
  readonly [waits] = ['wait'];
  readonly #barrier: Barrier;

  constructor(parties: number) {
    this.#barrier = new Barrier(parties);
  }

  async wait(options?: Waiting): Promise<number> {
    return this.#barrier.wait(options);
  }

  nWaiting(): number {
    return this.#barrier.nWaiting;
  }

  broken(): boolean {
    return this.#barrier.broken;
  }

  reset(): void {
    this.#barrier.reset();
  }

  abort(): void {
    this.#barrier.abort();
  }
}
