import { InvalidArgumentError } from '../base/errors.ts';
import type { Address, InetAddress, UnixAddress } from '../socket/address.ts';
import { AF_UNIX, SOCK_DGRAM } from '../socket/constants.ts';
import { familyOf } from '../socket/create-server.ts';
import type { Socket } from '../socket/socket.ts';
import { socket } from '../socket/socket.ts';
import type { DatagramRequest } from './handlers.ts';
import type { ServerOptions } from './options.ts';
import type { Job } from './request.ts';
import type { Handler } from './server.ts';
import { BaseServer } from './server.ts';

/** A server of datagrams: each is a request, answered through the server's own socket. */
abstract class DatagramServer extends BaseServer<DatagramRequest> {
  readonly #where: Address;

  constructor(address: Address, handler: Handler<DatagramRequest>, options: ServerOptions) {
    super(handler, options);
    // Rather than in plain text without a word: Node has no DTLS.
    if (options.ssl !== undefined) throw new InvalidArgumentError('ssl', options.ssl, 'nothing for datagrams');
    this.#where = address;
  }

  protected override async open(): Promise<Socket> {
    const where = this.#where;
    const opened: Socket = socket(typeof where === 'string' ? AF_UNIX : familyOf(where), SOCK_DGRAM);
    try {
      if (this.settings.reusePort) opened.setOptions({ reusePort: true });
      await opened.bind(where);
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  protected override async take(listener: Socket): Promise<Job> {
    const [data, address] = await listener.recvfrom(this.settings.maxPacketSize);
    return { kind: 'datagram', data, socket: listener, address };
  }

  protected override drain(listener: Socket): Job[] {
    const jobs: Job[] = [];
    for (;;) {
      const next = listener.tryRecvfrom(this.settings.maxPacketSize);
      if (next === undefined) return jobs;
      jobs.push({ kind: 'datagram', data: next[0], socket: listener, address: next[1] });
    }
  }

  // Answers still go through it.
  protected override quiet(listener: Socket): void {
    listener.interrupt();
  }
}

/**
 * Serves UDP datagrams on `[host, port]`: the request is `[data, socket]`, an answer goes by `socket.sendto(answer, clientAddress)`.
 * (socketserver.UDPServer)
 *
 * @example
 * await using server = new UDPServer(['127.0.0.1', 5353], ([data, socket], client) => socket.sendto(data, client));
 */
export class UDPServer extends DatagramServer {
  constructor(address: InetAddress, handler: Handler<DatagramRequest>, options: ServerOptions = {}) {
    super(address, handler, options);
  }
}

/** As `UDPServer`, on the path of a UNIX socket. (socketserver.UnixDatagramServer) */
export class UnixDatagramServer extends DatagramServer {
  constructor(path: UnixAddress, handler: Handler<DatagramRequest>, options: ServerOptions = {}) {
    super(path, handler, options);
  }
}
