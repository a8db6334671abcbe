import type { WaitOptions } from '../base/deadline.ts';
import { within } from '../base/deadline.ts';
import { ClosedError, EmptyError, FullError, InvalidArgumentError, UnsupportedError } from '../base/errors.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { fromBytes, toBytes } from '../ipc/message.ts';
import type { QueueOptions } from '../ipc/queue.ts';
import { whyNoSharedMemory } from '../ipc/process-region.ts';
import type { Remote } from './local-server.ts';
import { callRemote, serveHere } from './local-server.ts';
import { ServedQueue } from './served-queue.ts';
import { untilClosed } from '../ipc/until-closed.ts';

const waiting = new KeepAlive();

/**
 * What `Queue`, `SimpleQueue` and `JoinableQueue` are where processes cannot share memory: the items lie in the process that
 * made it, and others ask for them over a socket. Slower, without the calls that block a thread, and gone with its maker.
 */
export class SocketQueue<T> implements Shareable, AsyncIterable<T> {
  readonly maxsize: number;
  readonly #capacity: number;
  // One of them: in its maker, elsewhere.
  readonly #here: ServedQueue | undefined;
  #remote: Remote | undefined;
  readonly #putting = new Map<AbortController, Promise<unknown>>();
  #closed = false;

  constructor(maxsize = 0, { capacity = 1 << 20 }: QueueOptions = {}, remote?: Remote) {
    if (!Number.isInteger(maxsize)) throw new InvalidArgumentError('maxsize', maxsize, 'a whole number');
    this.maxsize = Math.max(0, maxsize);
    this.#capacity = capacity;
    this.#remote = remote;
    if (remote === undefined) this.#here = new ServedQueue({ maxsize: this.maxsize, capacity, what: 'Queue' });
  }

  qsize(): number {
    return this.#inMaker('qsize').qsize();
  }

  empty(): boolean {
    return this.#inMaker('empty').qsize() === 0;
  }

  full(): boolean {
    return this.#inMaker('full').qsize() >= this.maxsize && this.maxsize > 0;
  }

  get deaths(): { readonly readers: number; readonly writers: number } {
    throw new UnsupportedError(`deaths are counted in shared memory only: ${whyNoSharedMemory() ?? ''}`);
  }

  async put(item: T, options: WaitOptions = {}): Promise<void> {
    const bytes = this.#bytes(item);
    const given = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, given.signal]) : given.signal;
    const put = this.#wait('put', [bytes], { ...options, signal });
    this.#putting.set(given, put);
    try {
      await put;
    } finally {
      this.#putting.delete(given);
    }
  }

  async get(options: WaitOptions = {}): Promise<T> {
    return fromBytes((await this.#wait('get', [], options)) as Uint8Array) as Promise<T>;
  }

  putNowait(item: T): void {
    if (!this.#inMaker('putNowait').tryPut(this.#bytes(item))) throw new FullError('the queue is full', { item });
  }

  getNowait(): T {
    const bytes = this.#inMaker('getNowait').tryGet();
    if (bytes === undefined) throw new EmptyError('the queue is empty');
    return fromBytes(bytes, 'sync') as T;
  }

  putSync(_item: T, _options?: WaitOptions): void {
    throw blocks('putSync');
  }

  getSync(_options?: WaitOptions): T {
    throw blocks('getSync');
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return untilClosed(() => this.get());
  }

  close(): void {
    this.#closed = true;
  }

  shutdown(): void {
    this.#tell('shutdown');
  }

  taskDone(): void {
    this.#tell('taskDone');
  }

  async join(options: WaitOptions = {}): Promise<void> {
    await this.#wait('join', [], options);
  }

  joinSync(_options?: WaitOptions): void {
    throw blocks('joinSync');
  }

  async joinThread(options?: WaitOptions): Promise<void> {
    await within(Promise.allSettled(this.#putting.values()), options);
  }

  cancelJoinThread(): void {
    for (const put of this.#putting.keys()) put.abort();
  }

  [shareable](_to: Destination): PackedShareable {
    this.#remote ??= serveHere(this.#here!);
    const data = { remote: this.#remote, maxsize: this.maxsize, capacity: this.#capacity };
    return { kind: 'multiprocessing.SocketQueue', module: import.meta.url, data };
  }

  #bytes(item: T): Uint8Array {
    if (this.#closed) throw new ClosedError('the queue is closed here');
    const bytes = toBytes(item);
    if (bytes.length <= this.#capacity / 2) return bytes;
    throw new InvalidArgumentError(
      'item',
      bytes.length,
      `an item of at most ${this.#capacity / 2} bytes; give the queue a larger capacity`,
    );
  }

  #wait(method: 'put' | 'get' | 'join', args: readonly Uint8Array[], options: WaitOptions): Promise<unknown> {
    const { timeout, signal } = options;
    if (this.#here === undefined) return callRemote(this.#remote!, method, [...args, { timeout }], signal);
    const here = this.#here;
    return waiting.during<unknown>(method === 'put' ? here.put(args[0]!, options) : here[method](options));
  }

  // Without an answer: one that fails elsewhere is an unhandled rejection here.
  #tell(method: 'shutdown' | 'taskDone'): void {
    if (this.#here === undefined) void callRemote(this.#remote!, method);
    else this.#here[method]();
  }

  #inMaker(method: string): ServedQueue {
    if (this.#here !== undefined) return this.#here;
    throw new UnsupportedError(`${method} works only in the process that made the queue: ${whyNoSharedMemory() ?? ''}`);
  }
}

function blocks(method: string): UnsupportedError {
  return new UnsupportedError(`${method}, which blocks the thread, is not possible: ${whyNoSharedMemory() ?? ''}`);
}

interface PassedQueue {
  readonly remote: Remote;
  readonly maxsize: number;
  readonly capacity: number;
}

onArrival(
  'multiprocessing.SocketQueue',
  ({ remote, maxsize, capacity }: PassedQueue) => new SocketQueue(maxsize, { capacity }, remote),
);
