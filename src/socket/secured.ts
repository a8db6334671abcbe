import type { Socket as NetSocket } from 'node:net';
import { checkWait, mustWait, Wait } from '../asyncio/wait.ts';
import { realClock } from '../base/clock.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { BrokenError, ClosedError } from '../base/errors.ts';
import { socketError } from './streams/errors.ts';
import { Feed } from './streams/feed.ts';
import type { StreamReader } from './streams/reader.ts';
import { StreamWriter } from './streams/writer.ts';

const accepted: Promise<void> = Promise.resolve();

/** Seconds that what was sent has to leave after `close`, as asyncio's ssl_shutdown_timeout. */
const linger = 30;

/** The bytes of a connection that a security context has taken over: they pass through a stream of Node's. */
export class SecuredTransport {
  readonly socket: NetSocket;
  readonly #feed: Feed;
  readonly #writer: StreamWriter;
  #error: Error | undefined;
  closed = false;

  constructor(socket: NetSocket) {
    this.socket = socket;
    this.#feed = new Feed(socket);
    this.#writer = new StreamWriter(socket, this.#feed);
    socket.on('error', (error) => {
      this.#error = socketError(error);
    });
  }

  /** What came already is in the one reader there is. */
  streams(): [reader: StreamReader, writer: StreamWriter] {
    return [this.#feed.reader, this.#writer];
  }

  recv(n: number, options: WaitOptions | undefined): Promise<Buffer> {
    return this.#feed.reader.read(n, options);
  }

  recvExactly(n: number, options: WaitOptions | undefined): Promise<Buffer> {
    return this.#feed.reader.readexactly(n, options);
  }

  /** Settles once there is room again: at most what a stream of Node's holds is still to be encrypted then. */
  sendall(data: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    checkWait(options);
    if (!mustWait(options)) return this.#isOpen ? this.#send(data, options) : Promise.reject(this.#lost());
    return new Wait<void>('room in a stream', options, { external: true }).promise;
  }

  #send(data: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    // What has to queue is read later, when the caller may have put something else into its buffer.
    const bytes = this.socket.writableLength === 0 ? data : Buffer.from(data);
    return this.socket.write(bytes) ? accepted : this.#writer.drain(options);
  }

  /** Says goodbye; reading goes on. */
  end(): void {
    this.socket.end();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#feed.reader.setException(new ClosedError('the socket was closed'));
    // What TLS says at the end, close_notify, must be able to leave.
    if (this.socket.destroyed) return;
    this.socket.end(() => this.socket.destroy());
    this.socket.resume();
    // A peer that does not read must not keep it for ever.
    const timer = realClock.setTimer(linger, () => this.socket.destroy()).unref();
    this.socket.once('close', () => timer.cancel());
  }

  get #isOpen(): boolean {
    return this.#error === undefined && !this.closed && !this.socket.destroyed && !this.socket.writableEnded;
  }

  #lost(): Error {
    if (this.#error === undefined && !this.closed && this.socket.writableEnded) {
      return new ClosedError('the socket was shut down for sending');
    }
    return this.#error ?? (this.closed ? new ClosedError('the socket is closed') : new BrokenError('connection lost'));
  }
}
