import { isIPv6 } from 'node:net';
import { checkSeconds } from '../base/deadline.ts';
import type { Address, InetAddress, UnixAddress } from './address.ts';
import { AF_INET, AF_INET6, AF_UNIX } from './constants.ts';
import type { SecurityContext } from './security.ts';
import type { Socket } from './socket.ts';
import { socket } from './socket.ts';
import type { SocketOptions } from './options.ts';

/** How a server listens. */
export interface ListenOptions extends Pick<SocketOptions, 'reusePort' | 'receiveBuffer' | 'sendBuffer'> {
  /** By default that of the address: IPv6 if it has colons. */
  readonly family?: typeof AF_INET | typeof AF_INET6 | undefined;
  /** Connections that may wait to be accepted (128). */
  readonly backlog?: number | undefined;
  /** An IPv6 server takes IPv4 as well (`'::'` then means everybody). */
  readonly dualStack?: boolean | undefined;
  /** `accept` gives connections that are under TLS; their handshakes are made side by side. */
  readonly ssl?: SecurityContext | undefined;
  /** Seconds that a client has for the handshake (that of the context: 60). */
  readonly sslHandshakeTimeout?: number | undefined;
  /** Hears of handshakes that fail; `accept` does not, so that a stranger cannot end the server. */
  readonly onHandshakeError?: ((error: unknown, address: Address) => void) | undefined;
}

/**
 * A listening TCP socket on `[host, port]`, or a UNIX one on a path; its address may be used again at once after its end. Throws
 * SocketError: EADDRINUSE, EACCES. (socket.create_server)
 *
 * @example
 * using server = await createServer(['127.0.0.1', 0]);
 * const [connection, address] = await server.accept({ timeout: 10 });
 */
export function createServer(address: InetAddress, options?: ListenOptions): Promise<Socket<InetAddress>>;
export function createServer(address: UnixAddress, options?: ListenOptions): Promise<Socket<UnixAddress>>;
export function createServer(address: Address, options?: ListenOptions): Promise<Socket>;
export async function createServer(address: Address, options: ListenOptions = {}): Promise<Socket> {
  const { backlog = 128, dualStack = false, family = familyOf(address) } = options;
  const { reusePort, receiveBuffer, sendBuffer, ssl, sslHandshakeTimeout: timeout, onHandshakeError } = options;
  if (timeout !== undefined) checkSeconds('sslHandshakeTimeout', timeout);
  const server: Socket = socket(typeof address === 'string' ? AF_UNIX : family);
  try {
    if (typeof address !== 'string') {
      const named = { reusePort, receiveBuffer, sendBuffer };
      server.setOptions({ reuseAddress: true, ...named, ...(family === AF_INET6 && { ipv6Only: !dualStack }) });
    }
    await server.bind(address);
    server.listen(backlog);
    if (ssl !== undefined) server.secureAccept({ context: ssl, timeout, onFailure: onHandshakeError });
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

/** The family that an address is written in; a name is looked up as IPv4. */
export function familyOf(address: Address): typeof AF_INET | typeof AF_INET6 {
  return typeof address !== 'string' && isIPv6(address[0].split('%')[0]!) ? AF_INET6 : AF_INET;
}
