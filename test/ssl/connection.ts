import type { Socket as NetSocket } from 'node:net';
import { createConnection, createServer, socketpair } from '../../src/entry/socket.ts';
import type { InetSocket, Socket } from '../../src/entry/socket.ts';
import type { CertificateAuthority, SSLContext, SSLSocket, WrapOptions } from '../../src/entry/ssl.ts';
import { createAuthority, createDefaultContext, Purpose } from '../../src/entry/ssl.ts';

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** An authority, a server's certificate for this machine, a client's. */
export async function fixtures() {
  const ca = await createAuthority('Test CA');
  const server = await ca.issueServer(['localhost', '127.0.0.1', '::1']);
  const client = await ca.issueClient('alice', { names: ['alice@example.org'] });
  return { ca, server, client };
}

export function serverContext(cert: { cert: string; key: string }, clientCa?: CertificateAuthority): SSLContext {
  return createDefaultContext({ purpose: Purpose.CLIENT_AUTH, cert, cadata: clientCa?.cert });
}

export function clientContext(ca: { cert: string }, cert?: { cert: string; key: string }): SSLContext {
  return createDefaultContext({ cadata: ca.cert, cert });
}

/** Two plain sockets connected to each other over TCP. */
export async function tcpPair(): Promise<[a: InetSocket, b: InetSocket]> {
  using listener = await createServer(['127.0.0.1', 0]);
  const connecting = createConnection(listener.getsockname());
  const [b] = await listener.accept({ timeout: 10 });
  return [await connecting, b];
}

/** The two ends of one connection, each under TLS. */
export class Ends implements Disposable {
  readonly client: SSLSocket;
  readonly server: SSLSocket;

  constructor(client: SSLSocket, server: SSLSocket) {
    this.client = client;
    this.server = server;
  }

  /** What the server says to one byte of the client's, so that both have read something. */
  async greet(): Promise<void> {
    await this.client.sendall('?');
    await this.server.recvExactly(1);
    await this.server.sendall('!');
    await this.client.recvExactly(1);
  }

  [Symbol.dispose](): void {
    this.client.close();
    this.server.close();
  }
}

/** How the two sides of a handshake ended. */
export async function handshake(
  client: SSLContext,
  server: SSLContext,
  options: WrapOptions = {},
): Promise<[client: PromiseSettledResult<SSLSocket>, server: PromiseSettledResult<SSLSocket>]> {
  const [a, b]: [Socket, Socket] = await tcpPair();
  const [clientEnd, serverEnd] = await Promise.allSettled([
    client.wrapSocket(a, { serverHostname: 'localhost', timeout: 10, ...options }),
    server.wrapSocket(b, { timeout: 10 }),
  ]);
  return [clientEnd, serverEnd];
}

/** Both ends after a handshake that must go well. */
export async function connected(client: SSLContext, server: SSLContext, options: WrapOptions = {}): Promise<Ends> {
  const [a, b] = await handshake(client, server, options);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return new Ends(a.value, b.value);
}

/** What went wrong on the two sides; whichever did not fail is closed. */
export async function failures(
  client: SSLContext,
  server: SSLContext,
  options: WrapOptions = {},
): Promise<[client: unknown, server: unknown]> {
  const ends = await handshake(client, server, options);
  return ends.map((end) => {
    if (end.status === 'rejected') return end.reason as unknown;
    end.value.close();
    return undefined;
  }) as [unknown, unknown];
}

/** Two streams of Node's connected to each other. */
export function nodePair(): [NetSocket, NetSocket] {
  const [a, b] = socketpair();
  return [a.toNodeSocket(), b.toNodeSocket()];
}
