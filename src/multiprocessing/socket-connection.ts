import type { WaitOptions } from '../base/deadline.ts';
import { throwIfAborted } from '../base/deadline.ts';
import { BrokenError, ClosedError, InvalidArgumentError, TimeoutError, UnsupportedError } from '../base/errors.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { fromBytes, toBytes } from '../ipc/message.ts';
import { whyNoSharedMemory } from '../ipc/process-region.ts';
import type { Remote } from './local-server.ts';
import { callRemote, serveHere } from './local-server.ts';
import type { Side } from './served-pipe.ts';
import { ServedPipe } from './served-pipe.ts';
import { untilClosed } from '../ipc/until-closed.ts';

/** An end of a pipe on its way. */
interface Place {
  readonly side: Side;
  readonly duplex: boolean;
  readonly capacity: number;
}

const waiting = new KeepAlive();

/** What `Pipe` gives where processes cannot share memory; see `SocketQueue`. */
export class SocketConnection<T> implements Shareable, AsyncIterable<T>, Disposable {
  readonly readable: boolean;
  readonly writable: boolean;
  readonly #place: Place;
  readonly #home: Home;
  #closed = false;

  constructor(place: Place, home: Home, arrived: boolean) {
    this.#place = place;
    this.#home = home;
    this.readable = place.duplex || place.side === 0;
    this.writable = place.duplex || place.side === 1;
    home.tell('open', place.side, arrived);
  }

  get closed(): boolean {
    return this.#closed;
  }

  async send(value: T, options: WaitOptions = {}): Promise<void> {
    throwIfAborted(options.signal);
    this.#check(this.writable, 'this end of the pipe only receives');
    const bytes = toBytes(value);
    const { side, capacity } = this.#place;
    if (bytes.length > capacity / 2) {
      const allowed = `an item of at most ${capacity / 2} bytes; give the pipe a larger capacity`;
      throw new InvalidArgumentError('item', bytes.length, allowed);
    }
    await this.#home.call('send', side, bytes, options);
  }

  async recv(options: WaitOptions = {}): Promise<T> {
    throwIfAborted(options.signal);
    this.#check(this.readable, 'this end of the pipe only sends');
    try {
      const bytes = (await this.#home.call('recv', this.#place.side, undefined, options)) as Uint8Array;
      return (await fromBytes(bytes)) as T;
    } catch (error) {
      throw error instanceof BrokenError ? new ClosedError('the other end is closed', { cause: error }) : error;
    }
  }

  async poll(timeout = 0, { signal }: { signal?: AbortSignal } = {}): Promise<boolean> {
    this.#check(this.readable, 'this end of the pipe only sends');
    try {
      await this.#home.call('poll', this.#place.side, undefined, { timeout, signal });
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }

  sendSync(_value: T, _options?: { timeout?: number }): void {
    throw blocks('sendSync');
  }

  recvSync(_options?: { timeout?: number }): T {
    throw blocks('recvSync');
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return untilClosed(
      () => this.recv(),
      () => this.#closed,
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#home.tell('close', this.#place.side);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [shareable](_to: Destination): PackedShareable {
    this.#check(true, '');
    const data = { place: this.#place, remote: this.#home.remote() };
    this.#home.tell('depart', this.#place.side);
    return { kind: 'multiprocessing.SocketConnection', module: import.meta.url, data };
  }

  #check(can: boolean, why: string): void {
    if (this.#closed) throw new ClosedError('this end of the pipe is closed');
    if (!can) throw new UnsupportedError(why);
  }
}

/** The two ends of a pipe that lives in this process. */
export function socketPipe<T>(duplex: boolean, capacity = 1 << 20): [SocketConnection<T>, SocketConnection<T>] {
  const home = new Home(new ServedPipe(duplex, capacity));
  const end = (side: Side) => new SocketConnection<T>({ side, duplex, capacity }, home, false);
  return [end(0), end(1)];
}

/** Where the pipe lives: in this process, or behind a socket. */
class Home {
  readonly #pipe: ServedPipe | undefined;
  #remote: Remote | undefined;

  constructor(pipe: ServedPipe | undefined, remote?: Remote) {
    this.#pipe = pipe;
    this.#remote = remote;
  }

  remote(): Remote {
    return (this.#remote ??= serveHere(this.#pipe!));
  }

  tell(method: 'open' | 'close' | 'depart', side: Side, arrived = false): void {
    if (this.#pipe !== undefined) this.#pipe[method](side, arrived);
    // When its maker is gone there is nobody to be told.
    else void callRemote(this.remote(), method, [side, arrived]).catch(() => {});
  }

  call(
    method: 'send' | 'recv' | 'poll',
    side: Side,
    bytes: Uint8Array | undefined,
    { timeout, signal }: WaitOptions,
  ): Promise<unknown> {
    const args = bytes === undefined ? [side] : [side, bytes];
    if (this.#pipe === undefined) return callRemote(this.remote(), method, [...args, { timeout }], signal);
    const call = this.#pipe[method] as (...args: unknown[]) => Promise<unknown>;
    return waiting.during(call.apply(this.#pipe, [...args, { timeout, signal }]));
  }
}

function blocks(method: string): UnsupportedError {
  return new UnsupportedError(`${method}, which blocks the thread, is not possible: ${whyNoSharedMemory() ?? ''}`);
}

onArrival(
  'multiprocessing.SocketConnection',
  ({ place, remote }: { place: Place; remote: Remote }) =>
    new SocketConnection(place, new Home(undefined, remote), true),
);
