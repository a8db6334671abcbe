import type { Address } from '../socket/address.ts';
import type { Socket } from '../socket/socket.ts';
import type { DatagramRequest, RequestContext, RequestHandler } from './handlers.ts';
import type { SecuritySource } from './options.ts';

/** What is needed where a handler runs. */
export interface Serving {
  readonly handler: RequestHandler<never>;
  readonly timeout?: number | undefined;
  readonly ssl?: SecuritySource | undefined;
}

/** Serves one connection in this thread, to its end, and closes it; `atEnd` leaves that to the end of the process. */
export async function serveConnection(
  { handler, timeout, ssl }: Serving,
  connection: Socket,
  address: Address,
  context: RequestContext,
  atEnd = false,
): Promise<void> {
  try {
    connection.settimeout(timeout);
    if (ssl !== undefined) {
      const secure = typeof ssl === 'function' ? await ssl() : ssl;
      await connection.startTls(secure, { serverSide: true, timeout, signal: context.signal });
    }
    await (handler as RequestHandler<Socket>)(connection, address, context);
  } finally {
    // What is secured says good-bye.
    if (!atEnd || connection.secured !== undefined) connection.close();
  }
}

/** Serves one datagram in this thread. */
export async function serveDatagram(
  { handler }: Serving,
  request: DatagramRequest,
  address: Address,
  context: RequestContext,
): Promise<void> {
  await (handler as RequestHandler<DatagramRequest>)(request, address, context);
}
