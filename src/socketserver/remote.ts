// What runs in the threads and processes of a server.
import { CallContext, context, currentSignal } from '../callable/context.ts';
import { leaveCalls } from '../callable/guard.ts';
import type { PackedError } from '../callable/packed-error.ts';
import { packError } from '../callable/packed-error.ts';
import { portable } from '../callable/portable.ts';
import { resolve } from '../callable/reference.ts';
import type { Reference } from '../callable/registry.ts';
import { onAbort } from '../base/abort.ts';
import { deferred } from '../base/deferred.ts';
import type { Deferred } from '../base/deferred.ts';
import { CancelledError } from '../base/errors.ts';
import type { MessagePort } from 'node:worker_threads';
import { isMainThread } from 'node:worker_threads';
import { close } from '../os/descriptor.ts';
import type { Address } from '../socket/address.ts';
import type { AddressFamily, SocketType } from '../socket/constants.ts';
import { AF_UNIX, SOCK_SEQPACKET } from '../socket/constants.ts';
import { recvFds } from '../socket/rights.ts';
import { Socket, socket } from '../socket/socket.ts';
import type { RequestContext, RequestHandler } from './handlers.ts';
import type { SecuritySource } from './options.ts';
import { Request } from './request.ts';
import type { Serving } from './serve.ts';
import { serveConnection, serveDatagram } from './serve.ts';

/** How a handler is to be run, as data. */
export interface Setup {
  readonly handler: Reference;
  readonly ssl: Reference | undefined;
  readonly timeout: number | undefined;
  /** Counts the descriptors that a thread has taken over. */
  readonly taken?: Int32Array;
}

/** What a descriptor is. */
export type Kind = readonly [family: AddressFamily, type: SocketType];

let serving: Serving;
let taken: Int32Array | undefined;
let shared: Socket;
const open = new Set<Socket>();
const arrived = new Map<number, Deferred<number>>();

/** Loads the handler, so that a module that cannot be imported fails the start of the server. */
export const prepare = portable(import.meta, 'prepare', async (setup: Setup): Promise<void> => {
  ({ taken } = setup);
  serving = {
    handler: (await resolve(setup.handler)) as RequestHandler<never>,
    ssl: setup.ssl === undefined ? undefined : ((await resolve(setup.ssl)) as SecuritySource),
    timeout: setup.timeout,
  };
  // A thread's descriptors outlive it.
  if (!isMainThread) process.on('exit', closeAll);
});

/** Connects a process with its server, which sends it descriptors from then on. */
export const openChannel = portable(import.meta, 'openChannel', async (name: string, token: Buffer): Promise<void> => {
  const channel = socket(AF_UNIX, SOCK_SEQPACKET);
  await channel.connect(name, { timeout: 20 });
  await channel.sendall(token);
  void receive(channel).catch(() => channel.close()); // the server is gone, and so is this process in a moment
});

/** A connection for a thread, under a number; a number alone gives that request up. */
export type ThreadJob = readonly [number: number, fd: number, kind: Kind, address: Address] | readonly [number: number];
/** What became of it. */
export type ThreadResult = readonly [number: number, error?: PackedError];

/**
 * Serves the connections that come through `port`. Not by calls of the host: a call is asynchronous context, which on Node 20 and 22 makes
 * every promise of the thread dearer (by half, for small messages).
 */
export const servePort = portable(import.meta, 'servePort', (port: MessagePort): void => {
  const requests = new Map<number, Request>();
  port.on('message', ([number, fd, kind, address]: ThreadJob) => {
    if (fd === undefined) return requests.get(number)?.cancel(new CancelledError('the server gave the request up'));
    if (taken !== undefined) Atomics.add(taken, 0, 1);
    const connection = new Socket(fd, kind![0], kind![1], address);
    const request = new Request({ kind: 'connection', connection, address: address! });
    requests.set(number, request);
    request.onCancel = () => connection.close();
    open.add(connection);
    const end = (result: ThreadResult): void => {
      requests.delete(number);
      open.delete(connection);
      port.postMessage(result, []);
    };
    serveConnection(serving, connection, address!, request).then(
      () => end([number]),
      (error: unknown) => end([number, packError(error)]),
    );
  });
  setImmediate(leaveCalls);
});

/** Serves a connection whose descriptor comes, or came, through the channel under that number. */
export const serveSent = portable(
  import.meta,
  'serveSent',
  async (number: number, kind: Kind, address: Address): Promise<void> =>
    serveOpen(await arrival(number), kind, address),
);

/** Takes the socket of a datagram server: a thread shares its descriptor, a process gets its own. */
export const adopt = portable(
  import.meta,
  'adopt',
  async (fd: number | { sent: number }, kind: Kind): Promise<void> => {
    shared = new Socket(typeof fd === 'number' ? fd : await arrival(fd.sent), ...kind);
    shared.unref();
  },
);

/** Serves one datagram of the adopted socket. */
export const serveData = portable(import.meta, 'serveData', (data: Uint8Array, address: Address): Promise<void> => {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return serveDatagram(serving, [bytes, shared], address, new CallRequest());
});

async function serveOpen(fd: number, [family, type]: Kind, address: Address): Promise<void> {
  const connection = new Socket(fd, family, type, address);
  const request = new CallRequest();
  open.add(connection);
  const forget = onAbort(request.signal, () => connection.close());
  try {
    await serveConnection(serving, connection, address, request);
  } finally {
    forget();
    open.delete(connection);
  }
}

/** The request of a call: given up by its caller. */
class CallRequest implements RequestContext {
  readonly #call = context.getStore();

  get signal(): AbortSignal {
    return this.#call instanceof CallContext ? this.#call.signal : currentSignal();
  }
}

function arrival(number: number): Promise<number> {
  const there = arrived.get(number) ?? deferred<number>();
  arrived.set(number, there);
  return there.promise.finally(() => arrived.delete(number));
}

async function receive(channel: Socket): Promise<void> {
  for (;;) {
    const [data, [fd]] = await recvFds(channel, 4, 1);
    if (data.length === 0 || fd === undefined) return channel.close();
    const number = data.readUInt32LE();
    const there = arrived.get(number) ?? deferred<number>();
    arrived.set(number, there);
    there.resolve(fd);
  }
}

function closeAll(): void {
  for (const each of open) {
    const fd = each.fileno();
    if (fd >= 0) close(fd);
  }
}
