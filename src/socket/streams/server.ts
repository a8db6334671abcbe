import type { Server as NetServer, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { EventLoop } from '../../asyncio/loop.ts';
import { getRunningLoop } from '../../asyncio/loop.ts';
import type { Task } from '../../asyncio/task.ts';
import type { Call } from '../../asyncio/wait.ts';
import { checkWait, inCall, mustWait, Wait } from '../../asyncio/wait.ts';
import { WaitQueue } from '../../asyncio/wait-queue.ts';
import type { WaitOptions } from '../../base/deadline.ts';
import { checkSeconds } from '../../base/deadline.ts';
import { InvalidArgumentError, InvalidStateError, SSLError, SystemError, TimeoutError } from '../../base/errors.ts';
import { checkOptions } from '../../base/options.ts';
import type { SecurityContext } from '../security.ts';
import type { StreamOptions, Streams } from './connection.ts';
import { checkPort, highWaterMark, streamsOf } from './connection.ts';
import { socketError } from './errors.ts';
import { checkLimit } from './reader.ts';
import { addressOf } from './writer.ts';

/** Serves one connection, as a task of its own. */
export type ClientConnected = (...streams: Streams) => unknown;

/** How a server listens. */
export interface ServerOptions extends StreamOptions {
  /** Connections the system keeps that were not accepted yet (default 100). */
  readonly backlog?: number | undefined;
  /** An SSLContext: clients speak TLS from the start. Whose handshake fails never gets to `clientConnected`. */
  readonly ssl?: SecurityContext | undefined;
  /** Seconds that a client has for the handshake (default 60). */
  readonly sslHandshakeTimeout?: number | undefined;
}

/** Where a TCP server listens. */
export interface TcpServerOptions extends ServerOptions {
  /** Address to listen on (default: this machine only). */
  readonly host?: string | undefined;
  /** Port to listen on (default 0: any that is free). */
  readonly port?: number | undefined;
}

/**
 * Serves TCP connections: each runs `clientConnected` as a task, and is closed when that ends. What that throws goes to
 * the loop's exception handler, without one it is a warning: a peer that breaks off must not end the server. A TLS
 * handshake that fails is told to that handler only. The server
 * is closed at the latest when the `run` around it ends. Throws SystemError, InvalidArgumentError. (asyncio.start_server)
 *
 * @example
 * await using server = await startServer(async (reader, writer) => writer.write(await reader.readline()), { port: 8080 });
 * await server.serveForever();
 */
export async function startServer(clientConnected: ClientConnected, options: TcpServerOptions = {}): Promise<Server> {
  checkOptions(options);
  const { host = 'localhost', port = 0, backlog = 100 } = options;
  if (typeof host !== 'string') throw new InvalidArgumentError('host', host, 'a host name or address');
  checkPort(port);
  return listen(clientConnected, options, { host, port, backlog });
}

/** As `startServer`, on a UNIX socket at `path`. (asyncio.start_unix_server) */
export async function startUnixServer(
  clientConnected: ClientConnected,
  path: string,
  options: ServerOptions = {},
): Promise<Server> {
  checkOptions(options);
  if (typeof path !== 'string' || path === '')
    throw new InvalidArgumentError('path', path, 'the path of a UNIX socket');
  return listen(clientConnected, options, { path, backlog: options.backlog ?? 100 });
}

async function listen(
  clientConnected: ClientConnected,
  options: ServerOptions,
  where: { host?: string; port?: number; path?: string; backlog: number },
): Promise<Server> {
  if (typeof clientConnected !== 'function') {
    throw new InvalidArgumentError('clientConnected', clientConnected, 'a function');
  }
  if (!Number.isInteger(where.backlog) || where.backlog < 0) {
    throw new InvalidArgumentError('backlog', where.backlog, 'a whole number, 0 or more');
  }
  if (options.limit !== undefined) checkLimit(options.limit);
  if (options.sslHandshakeTimeout !== undefined) checkSeconds('sslHandshakeTimeout', options.sslHandshakeTimeout);
  const server = createServer({ allowHalfOpen: true, highWaterMark });
  const wait = new Wait<void>('a listening socket', undefined, { external: true });
  server.once('listening', () => wait.resolve());
  server.once('error', (error) => wait.reject(socketError(error)));
  const served = new Server(server, clientConnected, options);
  server.listen(where);
  try {
    await wait.promise;
  } catch (error) {
    served.close();
    throw error;
  }
  return served;
}

/** A listening socket and the tasks that serve its connections. (asyncio.Server) */
export class Server implements AsyncDisposable {
  readonly #server: NetServer;
  readonly #loop: EventLoop = getRunningLoop();
  readonly #tasks = new Set<Task<unknown>>();
  readonly #closers = new WaitQueue<void>({ external: true });
  readonly #release: () => void;
  #closed = false;
  #ending = false;

  /** @internal */
  constructor(server: NetServer, clientConnected: ClientConnected, options: ServerOptions) {
    this.#server = server;
    this.#release = this.#loop.own(() => this.close());
    server.on('connection', (socket) => this.#accept(socket, clientConnected, options));
    server.on('close', () => this.#settle());
  }

  /** The port it listens on; undefined for a UNIX socket. */
  get port(): number | undefined {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : undefined;
  }

  /** Where it listens: `host:port`, or a path; undefined once closed. */
  get address(): string | undefined {
    return addressOf(this.#server.address());
  }

  isServing(): boolean {
    return !this.#closed && this.#server.listening;
  }

  /** Stops listening. The connections there are go on until their tasks end. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
    this.#server.close();
    this.#settle();
  }

  /** Waits until it is closed and no connection is served any more. Throws TimeoutError, CancelledError. */
  waitClosed(options?: WaitOptions): Promise<void> {
    checkWait(options);
    return this.#over && !mustWait(options)
      ? Promise.resolve()
      : this.#closers.park('the end of a server', options).promise;
  }

  /** Serves until the task is cancelled, then closes. Throws InvalidStateError if it is closed. */
  serveForever(): Promise<never> {
    return inCall((call) => this.#serveForever(call));
  }

  async #serveForever(call: Call): Promise<never> {
    if (this.#closed) throw new InvalidStateError('server is closed');
    try {
      return await new Wait<never>('connections', undefined, { external: true }).partOf(call).promise;
    } finally {
      this.close();
      this.#cancelAll();
      await this.waitClosed();
    }
  }

  /** Closes the server, cancels what it serves and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    this.#cancelAll();
    await this.waitClosed();
  }

  get #over(): boolean {
    return this.#closed && !this.#server.listening && this.#tasks.size === 0;
  }

  #accept(socket: Socket, clientConnected: ClientConnected, options: ServerOptions): void {
    const { ssl, sslHandshakeTimeout: timeout } = options;
    if (ssl === undefined) return this.#serve(clientConnected, streamsOf(socket, options));
    if (this.#loop.isClosed()) return void socket.destroy();
    const handshake = () => ssl.wrapSocket(socket, { serverSide: true, timeout });
    const task = this.#loop.createTask(handshake, { name: `handshake ${++served}` });
    this.#tasks.add(task);
    task.addDoneCallback(() => {
      this.#tasks.delete(task);
      if (!task.cancelled()) {
        const exception = task.exception();
        if (exception !== undefined) this.#refused(exception, task);
        else if (this.#ending) task.result().destroy();
        else this.#serve(clientConnected, streamsOf(task.result(), options));
      }
      this.#settle();
    });
  }

  #serve(clientConnected: ClientConnected, streams: Streams): void {
    if (this.#loop.isClosed()) return streams[1].abort();
    const task = this.#loop.createTask(() => clientConnected(...streams), { name: `connection ${++served}` });
    this.#tasks.add(task);
    task.willBeReported();
    task.addDoneCallback(() => this.#ended(task, streams));
  }

  #ended(task: Task<unknown>, [, writer]: Streams): void {
    this.#tasks.delete(task);
    this.#settle();
    if (task.cancelled()) return writer.abort();
    const exception = task.exception();
    if (exception === undefined) return writer.close();
    writer.abort();
    this.#report('Unhandled exception in clientConnected', exception, task);
  }

  // What a stranger does wrong is not worth a warning each time; whoever wants to know sets an exception handler.
  #refused(exception: unknown, task: Task<unknown>): void {
    if (isOfPeer(exception) && this.#loop.getExceptionHandler() === undefined) return;
    this.#report('TLS handshake failed', exception, task);
  }

  #report(message: string, exception: unknown, future: Task<unknown>): void {
    this.#loop.callExceptionHandler({ message, exception, future });
  }

  #cancelAll(): void {
    this.#ending = true;
    for (const task of this.#tasks) task.cancel();
  }

  #settle(): void {
    if (!this.#over) return;
    for (let next = this.#closers.shift(); next !== undefined; next = this.#closers.shift()) next.resolve();
  }
}

function isOfPeer(error: unknown): boolean {
  return error instanceof SSLError || error instanceof SystemError || error instanceof TimeoutError;
}

let served = 0;
