import type { TLSSocket } from 'node:tls';
import type { WaitOptions } from '../base/deadline.ts';
import { checkSeconds } from '../base/deadline.ts';
import type { Address } from '../socket/address.ts';
import { bytesOf, checkSize } from '../socket/data.ts';
import { SecuredTransport } from '../socket/secured.ts';
import type { Socket } from '../socket/socket.ts';
import type { StreamReader } from '../socket/streams/reader.ts';
import type { StreamWriter } from '../socket/streams/writer.ts';
import type { PeerCertificate } from './peer-certificate.ts';
import { getpeercert } from './peer-certificate.ts';
import type { RecordStream } from './record-stream.ts';
import type { SSLSession } from './session.ts';
import { sessionOf } from './session.ts';

/** The suite that a connection is encrypted by. */
export interface Cipher {
  /** OpenSSL's name. */
  readonly name: string;
  /** That of the IANA registry. */
  readonly standardName: string;
  /** The oldest protocol version that has it. */
  readonly version: string;
}

/** The ends of the connection beneath. */
export interface Ends<A extends Address> {
  readonly sockname: A;
  readonly peername: A;
}

/** How it was wrapped. */
export interface Wrapped<A extends Address> {
  readonly serverHostname: string | undefined;
  readonly timeout: number | undefined;
  /** What it speaks through, if it is to give the plain socket back. */
  readonly records: RecordStream<A> | undefined;
}

/**
 * A connection under TLS, with the calls of `simul/socket`'s sockets; `SSLContext.wrapSocket` makes it of one. Each
 * waiting call takes `timeout` (seconds) and `signal`, and ends with its asyncio task. What breaks the connection later
 * (an alert, a broken record) is thrown by the next call. (ssl.SSLSocket)
 *
 * @example
 * using client = await context.wrapSocket(await createConnection(['example.org', 443]), { serverHostname: 'example.org' });
 * await client.sendall('GET / HTTP/1.0\r\nHost: example.org\r\n\r\n');
 */
export class SSLSocket<A extends Address = Address> implements Disposable, AsyncDisposable {
  /** The name that the client expects of the server; on the server's side, what the client asked for. */
  readonly serverHostname: string | undefined;
  /** Whether the handshake was a short one, by `session` of an earlier connection. */
  readonly sessionReused: boolean;
  readonly #version: string | undefined;
  readonly #cipher: Cipher;
  readonly #tls: TLSSocket;
  readonly #transport: SecuredTransport;
  readonly #ends: Ends<A>;
  readonly #records: RecordStream<A> | undefined;
  #timeout: number | undefined;

  /** @internal */
  constructor(tls: TLSSocket, ends: Ends<A>, options: Wrapped<A>) {
    const { serverHostname, timeout, records } = options;
    this.#tls = tls;
    this.#records = records;
    records?.carry(tls);
    this.#transport = new SecuredTransport(tls);
    this.#ends = ends;
    this.serverHostname = serverHostname ?? nameAskedFor(tls);
    this.#timeout = timeout;
    // Asked for at once: they are gone when the connection has ended.
    this.sessionReused = tls.isSessionReused();
    this.#version = tls.getProtocol() ?? undefined;
    this.#cipher = tls.getCipher();
  }

  get closed(): boolean {
    return this.#transport.closed;
  }

  /** Up to `n` bytes as soon as there are any; an empty Buffer is the end of the stream. */
  recv(n: number, options?: WaitOptions): Promise<Buffer> {
    checkSize(n);
    return this.#transport.recv(n, this.#with(options));
  }

  /** Exactly `n` bytes; IncompleteReadError, with what came, if the stream ends before. */
  recvExactly(n: number, options?: WaitOptions): Promise<Buffer> {
    checkSize(n);
    return this.#transport.recvExactly(n, this.#with(options));
  }

  /** As `sendall`, and tells how many bytes that were: TLS does not take records in parts. */
  async send(data: string | Uint8Array, options?: WaitOptions): Promise<number> {
    const bytes = bytesOf(data);
    await this.#transport.sendall(bytes, this.#with(options));
    return bytes.length;
  }

  /** Sends all and waits until the system has it, so that a slow peer slows the sender down. Text goes as UTF-8. */
  sendall(data: string | Uint8Array, options?: WaitOptions): Promise<void> {
    return this.#transport.sendall(bytesOf(data), this.#with(options));
  }

  /** Ends our direction (close_notify): the other side reads to the end, and can still answer. (RFC 8446 section 6.1) */
  shutdown(): void {
    this.#transport.end();
  }

  /**
   * Ends TLS as it should end: says goodbye, drops what still comes and waits for the other side's goodbye. If it was wrapped with
   * `unwrappable`, the connection goes on in plain text with the socket that this settles with; else it is closed. Throws TimeoutError,
   * CancelledError, and closes then. (ssl.SSLSocket.unwrap)
   */
  async unwrap(options?: WaitOptions): Promise<Socket<A> | undefined> {
    this.#records?.keep();
    this.shutdown();
    try {
      while ((await this.recv(65_536, options)).length > 0);
      return await this.#records?.release();
    } catch (error) {
      this.#records?.giveUp();
      throw error;
    } finally {
      this.close();
    }
  }

  /** Says goodbye and closes; who waits on it hears ClosedError. What was sent goes on its way. Idempotent. */
  close(): void {
    this.#transport.close();
  }

  /** The timeout of calls that are given none; undefined (the default) waits for ever. */
  settimeout(seconds: number | undefined): void {
    if (seconds !== undefined) checkSeconds('seconds', seconds);
    this.#timeout = seconds;
  }

  gettimeout(): number | undefined {
    return this.#timeout;
  }

  getsockname(): A {
    return this.#ends.sockname;
  }

  getpeername(): A {
    return this.#ends.peername;
  }

  /** The other side's certificate if it was verified, else undefined; with `binaryForm` its DER in any case. */
  getpeercert(options?: { readonly binaryForm?: false | undefined }): PeerCertificate | undefined;
  getpeercert(options: { readonly binaryForm: true }): Buffer | undefined;
  getpeercert(options?: { readonly binaryForm?: boolean | undefined }): PeerCertificate | Buffer | undefined {
    return options?.binaryForm === true ? getpeercert(this.#tls, { binaryForm: true }) : getpeercert(this.#tls);
  }

  /** As in TLSv1.3. */
  version(): string | undefined {
    return this.#version;
  }

  cipher(): Cipher {
    return { ...this.#cipher };
  }

  /** What both sides speak, of `setAlpnProtocols`; undefined if that was not agreed upon. */
  selectedAlpnProtocol(): string | undefined {
    return this.#tls.alpnProtocol || undefined;
  }

  /** What shortens the next handshake of this client with this server; in TLS 1.3 it comes with the first bytes. */
  get session(): SSLSession | undefined {
    return sessionOf(this.#tls);
  }

  /** A reader and a writer as asyncio's; `close` of the writer closes the connection. (socket.makefile) */
  makeStreams(): [reader: StreamReader, writer: StreamWriter] {
    return this.#transport.streams();
  }

  /** The stream of Node's beneath. */
  get secured(): TLSSocket {
    return this.#tls;
  }

  /** What comes, piece by piece, to the end of the stream. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (let data = await this.recv(65_536); data.length > 0; data = await this.recv(65_536)) yield data;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #with(options: WaitOptions | undefined): WaitOptions | undefined {
    if (this.#timeout === undefined || options?.timeout !== undefined) return options;
    return { ...options, timeout: this.#timeout };
  }
}

/** Node has `false` where the client named nobody, and the type does not know it. */
function nameAskedFor(tls: TLSSocket): string | undefined {
  const { servername } = tls as { readonly servername?: string | false | null };
  return servername || undefined;
}
