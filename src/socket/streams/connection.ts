import type { NetConnectOpts, Socket } from 'node:net';
import { connect as netConnect } from 'node:net';
import type { Readable } from 'node:stream';
import { getRunningLoop } from '../../asyncio/loop.ts';
import { checkWait, Wait } from '../../asyncio/wait.ts';
import type { WaitOptions } from '../../base/deadline.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import { socketError } from './errors.ts';
import { checkLimit, StreamReader } from './reader.ts';
import { StreamWriter } from './writer.ts';

/** How much a stream holds. */
export interface StreamOptions {
  /** Bytes a reader holds before it slows the peer down, and the longest line (default 64 KiB). */
  readonly limit?: number | undefined;
}

/** How a connection is made; `timeout` and `signal` are for the making only. */
export interface ConnectOptions extends StreamOptions, WaitOptions {
  readonly localAddress?: string | undefined;
}

/** Both directions of a connection. */
export type Streams = [reader: StreamReader, writer: StreamWriter];

/** Bytes a writer holds before `drain` waits. */
export const highWaterMark = 64 * 1024;

/**
 * Connects to a TCP server. What is still open when the `run` around it ends is closed. Throws SystemError (`code` as
 * in ECONNREFUSED), TimeoutError, CancelledError. (asyncio.open_connection)
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

async function connect(target: NetConnectOpts, options: ConnectOptions): Promise<Streams> {
  if (options.limit !== undefined) checkLimit(options.limit);
  // Node's types do not know that a socket takes a high-water mark.
  const settings = { ...target, allowHalfOpen: true, highWaterMark };
  const socket = netConnect(settings);
  const wait = new Wait<void>('a connection', options, { external: true });
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
  const streams = streamsOf(socket, options);
  socket.off('error', refuse);
  return streams;
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
  return [readerOf(socket, options), new StreamWriter(socket)];
}

/** A reader over a stream of Node's. */
export function readerOf(stream: Readable, { limit }: StreamOptions = {}): StreamReader {
  const reader = new StreamReader({ limit, flow: stream });
  stream.on('data', (data: Buffer) => reader.feedData(data));
  stream.on('end', () => reader.feedEof());
  stream.on('error', (error) => reader.setException(socketError(error)));
  stream.on('close', () => reader.feedEof());
  return reader;
}
