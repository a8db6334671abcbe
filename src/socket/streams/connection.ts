import type { NetConnectOpts, Socket } from 'node:net';
import { connect as netConnect } from 'node:net';
import type { Readable } from 'node:stream';
import { getRunningLoop } from '../../asyncio/loop.ts';
import { checkWait, shareTimeout, Wait } from '../../asyncio/wait.ts';
import type { WaitOptions } from '../../base/deadline.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { SecurityContext } from '../security.ts';
import { socketError } from './errors.ts';
import { Feed } from './feed.ts';
import type { StreamReader } from './reader.ts';
import { checkLimit } from './reader.ts';
import { StreamWriter } from './writer.ts';

/** How much a stream holds. */
export interface StreamOptions {
  /** Bytes a reader holds before it slows the peer down, and the longest line (default 64 KiB). */
  readonly limit?: number | undefined;
}

/** How a connection is made; `timeout` and `signal` are for the making only. */
export interface ConnectOptions extends StreamOptions, WaitOptions {
  readonly localAddress?: string | undefined;
  /** An SSLContext, to speak TLS at once; `true` for that of `createDefaultContext()`. */
  readonly ssl?: SecurityContext | true | undefined;
  /** The name that the server's certificate must have (default: the host). */
  readonly serverHostname?: string | undefined;
}

/** Both directions of a connection. */
export type Streams = [reader: StreamReader, writer: StreamWriter];

/** Bytes a writer holds before `drain` waits. */
export const highWaterMark = 64 * 1024;

/**
 * Connects to a TCP server, with `ssl` under TLS. What is still open when the `run` around it ends is closed. Throws
 * SystemError (`code` as in ECONNREFUSED), SSLError, TimeoutError, CancelledError. (asyncio.open_connection)
 *
 * @example
 * const [reader, writer] = await openConnection('localhost', 8080, { timeout: 5 });
 */
export async function openConnection(host: string, port: number, options: ConnectOptions = {}): Promise<Streams> {
  checkWait(options);
  if (typeof host !== 'string') throw new InvalidArgumentError('host', host, 'a host name or address');
  checkPort(port);
  return connect({ host, port, ...(options.localAddress && { localAddress: options.localAddress }) }, options);
}

/** As `openConnection`, to a UNIX socket. (asyncio.open_unix_connection) */
export async function openUnixConnection(path: string, options: ConnectOptions = {}): Promise<Streams> {
  checkWait(options);
  if (typeof path !== 'string' || path === '')
    throw new InvalidArgumentError('path', path, 'the path of a UNIX socket');
  return connect({ path }, options);
}

async function connect(target: NetConnectOpts & { host?: string }, options: ConnectOptions): Promise<Streams> {
  const shared = shareTimeout(options);
  if (options.limit !== undefined) checkLimit(options.limit);
  // Node's types do not know that a socket takes a high-water mark.
  const settings = { ...target, allowHalfOpen: true, highWaterMark };
  const socket = netConnect(settings);
  const wait = new Wait<void>('a connection', shared, { external: true });
  socket.once('connect', () => wait.resolve());
  const refuse = (error: Error): void => void wait.reject(socketError(error));
  socket.once('error', refuse);
  try {
    await wait.promise;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  }
  if (options.ssl === undefined) {
    const streams = streamsOf(socket, options);
    socket.off('error', refuse);
    return streams;
  }
  const serverHostname = options.serverHostname ?? target.host;
  // A handshake has a limit of its own where nothing was said.
  const timeout = shared?.deadline?.left;
  const context = options.ssl === true ? await defaultContext() : options.ssl;
  const { signal } = options;
  return streamsOf(await context.wrapSocket(socket, { serverHostname, timeout, signal }), options);
}

let defaultContext = (): Promise<SecurityContext> | SecurityContext => {
  throw new InvalidArgumentError('ssl', true, 'an SSLContext');
};

/** Tells what `ssl: true` stands for; for the one place that knows both streams and TLS. */
export function provideDefaultContext(make: () => Promise<SecurityContext>): void {
  defaultContext = make;
}

/** Validates a port number; 0 lets the system choose where it may. */
export function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new InvalidArgumentError('port', port, 'a port number from 0 to 65535');
}

/** The streams over a connected socket, which the loop closes at its end if nobody has. */
export function streamsOf(socket: Socket, options: StreamOptions): Streams {
  const release = getRunningLoop().own(() => socket.destroy());
  socket.on('close', release);
  const feed = new Feed(socket, options);
  return [feed.reader, new StreamWriter(socket, feed)];
}

/** A reader over a stream of Node's. */
export function readerOf(stream: Readable, options: StreamOptions = {}): StreamReader {
  return new Feed(stream, options).reader;
}
