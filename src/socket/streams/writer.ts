import type { AddressInfo, Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { getRunningLoop } from '../../asyncio/loop.ts';
import { checkWait, inCall, mustWait } from '../../asyncio/wait.ts';
import { WaitQueue } from '../../asyncio/wait-queue.ts';
import type { WaitOptions } from '../../base/deadline.ts';
import { BrokenError, ClosedError, InvalidArgumentError, InvalidStateError } from '../../base/errors.ts';
import type { SecureOptions, SecurityContext } from '../security.ts';
import { directSender } from './direct-send.ts';
import { socketError } from './errors.ts';
import type { Feed } from './feed.ts';

/** The two ends of a connection. */
export interface SocketNames {
  readonly peername: string | undefined;
  readonly sockname: string | undefined;
}

/** What a writer writes to: a socket, or a pipe of a program. */
export type Outlet = Writable & Partial<Pick<Socket, 'address' | 'remoteAddress' | 'remotePort'>>;

/**
 * The bytes that go out. `write` never waits; `drain` waits while more than the buffer should hold is on its way, so
 * that a slow peer slows the writer down. (asyncio.StreamWriter)
 *
 * @example
 * writer.write('hello\n');
 * await writer.drain();
 */
export class StreamWriter implements AsyncDisposable {
  #socket: Outlet;
  #sendNow: (bytes: Uint8Array) => number;
  readonly #feed: Feed | undefined;
  readonly #drainers = new WaitQueue<void>({ external: true });
  readonly #closers = new WaitQueue<void>({ external: true });
  // Asked for at once: the system forgets them when the connection ends.
  readonly #names: SocketNames;
  #closing = false;
  #error: Error | undefined;

  #handingOver = false;

  /** @internal */
  constructor(socket: Outlet, feed?: Feed) {
    this.#socket = socket;
    this.#sendNow = directSender(socket);
    this.#feed = feed;
    this.#names = { peername: peerOf(socket), sockname: addressOf(socket.address?.() ?? null) };
    this.#listen(socket);
  }

  /** Sends bytes, or text as UTF-8, without waiting. Throws ClosedError after `close` or `writeEof`. */
  write(data: string | Uint8Array): void {
    if (this.#closing || this.#socket.writableEnded) throw new ClosedError('the stream is closed for writing');
    if (this.#handingOver) throw new InvalidStateError('write() during startTls: it would be sent in plain text');
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new InvalidArgumentError('data', data, 'bytes or a string');
    }
    // A peer that is gone is told by drain, as asyncio does: what is written may be lost at any time after it left.
    if (this.#socket.destroyed) return;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const sent = this.#sendNow(bytes);
    if (sent < bytes.length) this.#socket.write(sent === 0 ? bytes : bytes.subarray(sent));
  }

  /** Sends several pieces, in one system call where that can be. */
  writelines(pieces: Iterable<string | Uint8Array>): void {
    if (!isIterable(pieces)) throw new InvalidArgumentError('pieces', pieces, 'bytes or strings in an iterable');
    this.#socket.cork();
    try {
      for (const piece of pieces) this.write(piece);
    } finally {
      this.#socket.uncork();
    }
  }

  /** Waits until the buffer has room. Throws the error of a connection that broke, TimeoutError, CancelledError. */
  drain(options?: WaitOptions): Promise<void> {
    if (options !== undefined) checkWait(options);
    if (this.#socket.destroyed && !this.#closing) return Promise.reject(this.#lost());
    if (!this.#socket.writableNeedDrain && !mustWait(options)) return drained;
    return this.#drainers.park('room in a stream', options).promise;
  }

  /** Says that no more will be written; reading goes on. */
  writeEof(): void {
    this.#socket.end();
  }

  canWriteEof(): boolean {
    return true;
  }

  /** Sends what is buffered, then closes the connection. `waitClosed` tells when that is done. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#socket.destroyed) return;
    this.#socket.end(() => this.#socket.destroy());
  }

  /** Closes at once; what is buffered is lost. */
  abort(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  isClosing(): boolean {
    return this.#closing || this.#socket.destroyed;
  }

  /** Waits until the connection is closed. Throws the error that broke it, TimeoutError, CancelledError. */
  waitClosed(options?: WaitOptions): Promise<void> {
    checkWait(options);
    return inCall(async (call) => {
      if (!this.#socket.closed || mustWait(options)) {
        await this.#closers.park('the end of a stream', options).partOf(call).promise;
      }
      if (this.#error !== undefined) throw this.#error;
    });
  }

  /**
   * Goes on under TLS, from this point of the conversation on; the other side does the same. Reader and writer stay the
   * ones they are; nothing may be read or written meanwhile. What the other side sent too early in plain text counts
   * as TLS, so that nobody can slip something in. Throws what `SSLContext.wrapSocket` throws, and the connection is
   * closed then. (asyncio.StreamWriter.start_tls)
   *
   * @example
   * await writer.startTls(createDefaultContext(), { serverHostname: 'mail.example.org' });
   */
  async startTls(context: SecurityContext, options: SecureOptions = {}): Promise<void> {
    if (this.isClosing()) throw new ClosedError('the stream is closed');
    if (this.#feed === undefined) throw new InvalidStateError('startTls is for the writer of a connection');
    if (this.#handingOver) throw new InvalidStateError('startTls is under way');
    this.#feed.detach();
    this.#handingOver = true;
    try {
      const secured = await context.wrapSocket(this.#socket as Socket, options);
      const release = getRunningLoop().own(() => secured.destroy());
      secured.on('close', release);
      this.#move(secured);
      this.#feed.attach(secured);
    } catch (error) {
      this.#error = error as Error;
      this.#feed.reader.setException(this.#error);
      throw error;
    } finally {
      this.#handingOver = false;
    }
  }

  /** `peername` or `sockname`: an address as `host:port`, or the path of a UNIX socket. */
  getExtraInfo(name: keyof SocketNames): string | undefined;
  /** The socket beneath. */
  getExtraInfo(name: 'socket'): Socket;
  getExtraInfo(name: keyof SocketNames | 'socket'): string | Socket | undefined {
    if (name === 'socket') return this.#socket as Socket;
    return this.#names[name];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    // The error was for those who wrote or read; who only leaves has nothing to do with it.
    if (!this.#socket.closed) await this.#closers.park('the end of a stream').promise;
  }

  #listen(socket: Outlet): void {
    socket.on('drain', this.#drained).on('error', this.#failed).on('close', this.#ended);
  }

  #move(socket: Outlet): void {
    this.#socket.off('drain', this.#drained).off('error', this.#failed).off('close', this.#ended);
    this.#socket = socket;
    this.#sendNow = directSender(socket);
    this.#listen(socket);
  }

  readonly #drained = (): void => this.#serve(this.#drainers);

  readonly #failed = (error: Error): void => {
    this.#error = socketError(error);
  };

  readonly #ended = (): void => {
    this.#serve(this.#closers);
    this.#failDrainers();
  };

  #serve(queue: WaitQueue<void>): void {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) next.resolve();
  }

  #failDrainers(): void {
    for (let next = this.#drainers.shift(); next !== undefined; next = this.#drainers.shift()) {
      next.reject(this.#closing ? new ClosedError('the stream was closed') : this.#lost());
    }
  }

  #lost(): Error {
    return this.#error ?? new BrokenError('Connection lost');
  }
}

function isIterable(value: unknown): boolean {
  return typeof (value as { [Symbol.iterator]?: unknown } | null | undefined)?.[Symbol.iterator] === 'function';
}

const drained: Promise<void> = Promise.resolve();

export function addressOf(address: AddressInfo | string | {} | null): string | undefined {
  if (typeof address === 'string') return address;
  if (address === null || !('port' in address)) return undefined;
  const { address: host, port } = address;
  return joinAddress(host, port);
}

function peerOf({ remoteAddress, remotePort }: Outlet): string | undefined {
  return remoteAddress === undefined || remotePort === undefined ? undefined : joinAddress(remoteAddress, remotePort);
}

function joinAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
