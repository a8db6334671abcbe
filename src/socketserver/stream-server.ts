import type { Address, InetAddress, UnixAddress } from '../socket/address.ts';
import { createServer } from '../socket/create-server.ts';
import { quiesce } from '../socket/quiesce.ts';
import type { Socket } from '../socket/socket.ts';
import type { ServerOptions } from './options.ts';
import type { Job } from './request.ts';
import type { Handler } from './server.ts';
import { BaseServer } from './server.ts';

/** A server of connections. */
abstract class StreamServer extends BaseServer<Socket> {
  readonly #where: Address;

  constructor(address: Address, handler: Handler<Socket>, options: ServerOptions) {
    super(handler, options);
    this.#where = address;
  }

  protected override open(): Promise<Socket> {
    const { backlog, reusePort, dualStack } = this.settings;
    return createServer(this.#where, { backlog, reusePort, dualStack });
  }

  protected override async take(listener: Socket): Promise<Job> {
    const [connection, address] = await listener.accept();
    return { kind: 'connection', connection, address };
  }

  protected override drain(listener: Socket): Job[] {
    quiesce(listener);
    const jobs: Job[] = [];
    for (;;) {
      const next = tryAccept(listener);
      if (next === undefined) return jobs;
      jobs.push({ kind: 'connection', connection: next[0], address: next[1] });
    }
  }

  protected override quiet(listener: Socket): void {
    listener.close();
  }
}

// A UNIX socket that was told to take no more answers EINVAL when its queue is empty.
function tryAccept(listener: Socket): [Socket, Address] | undefined {
  try {
    return listener.tryAccept();
  } catch (error) {
    if ((error as { code?: string }).code === 'EINVAL') return undefined;
    throw error;
  }
}

/**
 * Serves TCP connections on `[host, port]` (port 0: any that is free) with a function or class for each, in the style that the
 * options choose. (socketserver.TCPServer, ThreadingTCPServer, ForkingTCPServer)
 *
 * @example
 * await using server = new TCPServer(['127.0.0.1', 8080], async (connection) => {
 *   await connection.sendall(await connection.recv(1024));
 * });
 * await server.serveForever();
 */
export class TCPServer extends StreamServer {
  constructor(address: InetAddress, handler: Handler<Socket>, options: ServerOptions = {}) {
    super(address, handler, options);
  }
}

/** As `TCPServer`, on the path of a UNIX socket or an abstract name (`'\0name'`). (socketserver.UnixStreamServer) */
export class UnixStreamServer extends StreamServer {
  constructor(path: UnixAddress, handler: Handler<Socket>, options: ServerOptions = {}) {
    super(path, handler, options);
  }
}
