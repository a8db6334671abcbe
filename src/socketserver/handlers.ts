import type { Address } from '../socket/address.ts';
import type { Socket } from '../socket/socket.ts';
import type { StreamReader } from '../socket/streams/reader.ts';
import type { StreamWriter } from '../socket/streams/writer.ts';

/** What a datagram server hands to a handler: the datagram, and the socket by which to answer. */
export type DatagramRequest = readonly [data: Buffer, socket: Socket];

/** What a handler can know of its server. */
export interface RequestContext {
  /** Fires when the server gives the request up: its time is over, or the server's grace. */
  readonly signal: AbortSignal;
}

/** Serves one request; the server closes the connection afterwards. */
export type RequestHandler<R> = (request: R, clientAddress: Address, context: RequestContext) => unknown;

/** A class whose objects serve one request each. */
export type RequestHandlerClass<R> = new (
  request: R,
  clientAddress: Address,
  context: RequestContext,
) => BaseRequestHandler<R>;

/** Serves one request in three steps; `finish` comes also after a failure of `handle`. (socketserver.BaseRequestHandler) */
export abstract class BaseRequestHandler<R> {
  readonly request: R;
  readonly clientAddress: Address;
  readonly context: RequestContext;

  constructor(request: R, clientAddress: Address, context: RequestContext) {
    this.request = request;
    this.clientAddress = clientAddress;
    this.context = context;
  }

  setup(): void | Promise<void> {}

  abstract handle(): unknown;

  finish(): void | Promise<void> {}
}

/**
 * Serves a connection by lines and the like: `rfile` reads, `wfile` writes, as asyncio's streams. (socketserver.StreamRequestHandler)
 *
 * @example
 * class Shout extends StreamRequestHandler {
 *   async handle() { this.wfile.write(String(await this.rfile.readline()).toUpperCase()); }
 * }
 */
export abstract class StreamRequestHandler extends BaseRequestHandler<Socket> {
  readonly rfile: StreamReader;
  readonly wfile: StreamWriter;

  constructor(request: Socket, clientAddress: Address, context: RequestContext) {
    super(request, clientAddress, context);
    [this.rfile, this.wfile] = request.makeStreams();
    const abort = () => this.wfile.abort();
    if (context.signal.aborted) abort();
    else context.signal.addEventListener('abort', abort, { once: true });
  }

  /** Sends what is buffered, and closes. */
  override async finish(): Promise<void> {
    this.wfile.close();
    await this.wfile.waitClosed().catch(() => {}); // the error was for those who wrote
  }
}

/** Serves a datagram: `packet` is what came, what is `write`n is sent back at the end as one. (socketserver.DatagramRequestHandler) */
export abstract class DatagramRequestHandler extends BaseRequestHandler<DatagramRequest> {
  readonly packet: Buffer;
  readonly socket: Socket;
  readonly #answer: Buffer[] = [];

  constructor(request: DatagramRequest, clientAddress: Address, context: RequestContext) {
    super(request, clientAddress, context);
    [this.packet, this.socket] = request;
  }

  write(data: string | Uint8Array): void {
    this.#answer.push(Buffer.from(data as Uint8Array));
  }

  override async finish(): Promise<void> {
    await this.socket.sendto(Buffer.concat(this.#answer), this.clientAddress);
  }
}

/**
 * The function that serves with a class: what `portable` takes, for styles in which the handler runs in threads or processes.
 *
 * @example
 * export const shout = portable(import.meta, 'shout', requestHandler(Shout));
 */
export function requestHandler<R>(handlerClass: RequestHandlerClass<R>): RequestHandler<R> {
  return async (request, clientAddress, context) => {
    const handler = new handlerClass(request, clientAddress, context);
    await handler.setup();
    try {
      await handler.handle();
    } finally {
      await handler.finish();
    }
  };
}

/** The function behind what a server was given. */
export function asFunction<R>(handler: RequestHandler<R> | RequestHandlerClass<R>): RequestHandler<R> {
  const isClass = (handler as { prototype?: unknown }).prototype instanceof BaseRequestHandler;
  return isClass ? requestHandler(handler as RequestHandlerClass<R>) : (handler as RequestHandler<R>);
}
