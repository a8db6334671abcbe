import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onAbort } from '../base/abort.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { throwIfAborted, within } from '../base/deadline.ts';
import { endings, throwIfAnyAborted, withinBounds } from '../base/ending-signals.ts';
import { ClosedError, ConnectionError, InvalidArgumentError } from '../base/errors.ts';
import { uuid } from '../base/ids.ts';
import type { FramedOptions } from '../ipc/framed-connection.ts';
import { FramedConnection } from '../ipc/framed-connection.ts';
import { answerChallenge, deliverChallenge } from './authentication.ts';

/** A path of a UNIX socket, or a host and port. */
export type Address = string | { readonly host: string; readonly port: number };

/** Options of both sides. */
export interface ConnectionOptions extends FramedOptions {
  /** A secret both sides must know. Without one anybody who can connect is let in. */
  readonly authkey?: string | Uint8Array;
}

/** Options of a listener. */
export interface ListenerOptions extends ConnectionOptions {
  /** Where it listens; by default a UNIX socket of a random name. Port 0 is any free one. */
  readonly address?: Address;
  /** Connections the kernel keeps until they are accepted (default 16). */
  readonly backlog?: number;
}

/**
 * Accepts connections of messages, from unrelated processes and from other machines. With an `authkey` each side proves to
 * the other that it knows it (HMAC-SHA256); the messages are neither encrypted nor signed. ConnectionError if the
 * address cannot be had. (multiprocessing.connection.Listener)
 *
 * @example
 * await using listener = await Listener.open({ address: { host: '127.0.0.1', port: 0 }, authkey: 'secret' });
 * const connection = await listener.accept();
 */
export class Listener implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #arrived: Socket[] = [];
  readonly #accepting: ((socket: Socket) => void)[] = [];
  readonly #closing = new AbortController();
  #last: string | undefined;

  private constructor(server: Server, options: ListenerOptions) {
    this.#server = server;
    this.#options = options;
    server.on('connection', (socket) => {
      const accept = this.#accepting.shift();
      if (accept === undefined) this.#arrived.push(socket);
      else accept(socket);
    });
  }

  static async open(options: ListenerOptions = {}): Promise<Listener> {
    const address = options.address ?? join(tmpdir(), `simul-${uuid()}.sock`);
    const server = createServer({ pauseOnConnect: true });
    const listener = new Listener(server, options);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        reject(new ConnectionError(`cannot listen at ${show(address)}: ${cause.message}`, { cause }));
      });
      const { backlog = 16 } = options;
      server.listen(typeof address === 'string' ? { path: address, backlog } : { ...address, backlog }, resolve);
    });
    return listener;
  }

  get address(): Address {
    const address = this.#server.address();
    if (address === null) throw new ClosedError('the listener is closed');
    return typeof address === 'string' ? address : { host: address.address, port: address.port };
  }

  /** Whence the last accepted came; undefined for a UNIX socket. */
  get lastAccepted(): string | undefined {
    return this.#last;
  }

  /** The next connection. ConnectionError if it has another authkey (accept again); ClosedError, TimeoutError, CancelledError. */
  async accept(options: WaitOptions = {}): Promise<FramedConnection> {
    throwIfAborted(options.signal);
    const socket = this.#arrived.shift() ?? (await this.#next(options));
    this.#last = socket.remoteAddress;
    const connection = new FramedConnection(socket, this.#options);
    socket.resume();
    const key = keyOf(this.#options);
    return authenticated(connection, async () => {
      if (key === undefined) return;
      await deliverChallenge(connection, key);
      await answerChallenge(connection, key);
    });
  }

  /** It does not keep the program alive, and neither does a wait to accept. */
  unref(): void {
    this.#server.unref();
  }

  /** Accepts no more; connections stay. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#closing.abort();
    for (const socket of this.#arrived.splice(0)) socket.destroy();
    // Connections that were accepted do not keep it: only the listening socket is waited for.
    this.#server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #next(options: WaitOptions): Promise<Socket> {
    if (!this.#server.listening) throw new ClosedError('the listener is closed');
    let accept!: (socket: Socket) => void;
    let forget!: () => void;
    const arrival = new Promise<Socket>((resolve, reject) => {
      accept = resolve;
      forget = onAbort(this.#closing.signal, () => reject(new ClosedError('the listener is closed')));
    });
    this.#accepting.push(accept);
    try {
      return await withinBounds(arrival, options, 'a connection');
    } catch (error) {
      const index = this.#accepting.indexOf(accept);
      if (index >= 0) this.#accepting.splice(index, 1);
      throw error;
    } finally {
      forget();
    }
  }
}

/**
 * Connects to a Listener. ConnectionError if nobody listens there or the authkey is another (`permanent`); TimeoutError,
 * CancelledError. (multiprocessing.connection.Client)
 *
 * @example
 * await using connection = await Client(address, { authkey: 'secret' });
 * await connection.send(['hello', 1]);
 */
export async function Client(
  address: Address,
  options: ConnectionOptions & WaitOptions = {},
): Promise<FramedConnection> {
  return connectTo(address, options, endings(options));
}

/** As `Client`, bounded by nothing but what is given: for connections that are not the asyncio task's who asks first. */
export async function connectTo(
  address: Address,
  options: ConnectionOptions,
  bounds: { readonly timeout?: number | undefined; readonly signals: readonly AbortSignal[] } = { signals: [] },
): Promise<FramedConnection> {
  throwIfAnyAborted(bounds.signals);
  const socket = typeof address === 'string' ? createConnection({ path: address }) : createConnection({ ...address });
  const key = keyOf(options);
  const opening = open(socket, address, options, key);
  try {
    return await within(opening, { ...bounds, what: `connecting to ${show(address)}` });
  } catch (error) {
    opening.catch(() => {});
    socket.destroy();
    throw error;
  }
}

async function open(
  socket: Socket,
  address: Address,
  options: ConnectionOptions,
  key: Uint8Array | undefined,
): Promise<FramedConnection> {
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', (cause) => {
      reject(new ConnectionError(`cannot connect to ${show(address)}: ${cause.message}`, { cause }));
    });
  });
  const connection = new FramedConnection(socket, options);
  return authenticated(connection, async () => {
    if (key === undefined) return;
    await answerChallenge(connection, key);
    await deliverChallenge(connection, key);
  });
}

async function authenticated(connection: FramedConnection, prove: () => Promise<void>): Promise<FramedConnection> {
  try {
    await prove();
    return connection;
  } catch (error) {
    await connection.close();
    if (error instanceof ClosedError) throw new ConnectionError('the other side hung up', { cause: error });
    throw error;
  }
}

/** A UNIX socket of a random name; where it can be had, one without a file, which nothing can leave behind. */
export function socketAddress(): string {
  const name = `simul-${uuid()}`;
  if (process.platform === 'linux') return `\0${name}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

function keyOf({ authkey }: ConnectionOptions): Uint8Array | undefined {
  if (authkey === undefined || authkey instanceof Uint8Array) return authkey;
  if (typeof authkey === 'string') return Buffer.from(authkey);
  throw new InvalidArgumentError('authkey', authkey, 'a string or bytes');
}

function show(address: Address): string {
  return typeof address === 'string' ? address : `${address.host}:${address.port}`;
}
