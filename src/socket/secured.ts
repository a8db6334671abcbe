import type { Socket as NetSocket } from 'node:net';
import { checkWait, Wait } from '../asyncio/wait.ts';
import { realClock } from '../base/clock.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { BrokenError, ClosedError } from '../base/errors.ts';
import { socketError } from './streams/errors.ts';
import { Feed } from './streams/feed.ts';
import type { StreamReader } from './streams/reader.ts';
import { StreamWriter } from './streams/writer.ts';

/** Seconds that what was sent has to leave after `close`, as asyncio's ssl_shutdown_timeout. */
const linger = 30;

/** The bytes of a connection that a security context has taken over: they pass through a stream of Node's. */
export class SecuredTransport {
  readonly socket: NetSocket;
  readonly #feed: Feed;
  #error: Error | undefined;
  closed = false;

  constructor(socket: NetSocket) {
    this.socket = socket;
    this.#feed = new Feed(socket);
    socket.on('error', (error) => {
      this.#error = socketError(error);
    });
  }

  /** What came already is in the one reader there is. */
  streams(): [reader: StreamReader, writer: StreamWriter] {
    return [this.#feed.reader, new StreamWriter(this.socket, this.#feed)];
  }

  recv(n: number, options: WaitOptions | undefined): Promise<Buffer> {
    return this.#feed.reader.read(n, options);
  }

  recvExactly(n: number, options: WaitOptions | undefined): Promise<Buffer> {
    return this.#feed.reader.readexactly(n, options);
  }

  /** Settles once the bytes are encrypted and the system has them. */
  sendall(data: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    checkWait(options);
    const wait = new Wait<void>('room in a stream', options, { external: true });
    if (wait.settled) return wait.promise;
    if (this.closed || this.socket.destroyed) wait.reject(this.#lost());
    else {
      this.socket.write(data, (error) => {
        if (error) wait.reject(this.#error ?? socketError(error));
        else wait.resolve();
      });
    }
    return wait.promise;
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

  #lost(): Error {
    return this.#error ?? (this.closed ? new ClosedError('the socket is closed') : new BrokenError('connection lost'));
  }
}
