import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { runOutside } from '../asyncio/scope.ts';
import { CancelledError } from '../base/errors.ts';
import type { Address } from '../socket/address.ts';
import { Socket } from '../socket/socket.ts';
import { IncompleteReadError } from '../socket/streams/errors.ts';

const headerSize = 5;
const versionMajor = 3;

/**
 * What TLS speaks through when the connection is to go on in plain text afterwards. It receives one record at a time and nothing beyond
 * (RFC 8446 section 5.1), since what follows the last record is not TLS's; and the end of TLS is not the end of the connection, which
 * it would be with a socket of Node's: there OpenSSL's goodbye and shutdown(2) are one step.
 */
export class RecordStream<A extends Address> extends Duplex {
  readonly #socket: Socket<A>;
  readonly #timeout: number | undefined;
  readonly #stop = new AbortController();
  /** Where the connection is connected to, for errors. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  #tls: TLSSocket | undefined;
  #reading: Promise<void> | undefined;
  #kept = false;
  #released = false;

  /** Takes the socket over, which counts as closed from then on. */
  constructor(socket: Socket<A>) {
    // A record is handed on before the next is asked for.
    super({ readableHighWaterMark: 1 });
    const peer = socket.getpeername();
    if (typeof peer !== 'string') [this.remoteAddress, this.remotePort] = peer;
    this.#timeout = socket.gettimeout();
    this.#socket = new Socket<A>(socket.detach(), socket.family, socket.type, peer);
  }

  /** Tells who speaks through it. */
  carry(tls: TLSSocket): void {
    this.#tls = tls;
  }

  /** The end of TLS is no longer that of the connection: `release` or `giveUp` decides on that. */
  keep(): void {
    this.#kept = true;
  }

  /** Closes the connection, unless somebody has it already. */
  giveUp(): void {
    if (!this.#released) this.#socket.close();
  }

  /** The socket, in plain text again, once TLS has said its last. */
  async release(): Promise<Socket<A>> {
    await this.#saidLast();
    this.#released = true;
    this.#stop.abort(new CancelledError('TLS has ended'));
    await this.#reading;
    this.#socket.settimeout(this.#timeout);
    return this.#socket;
  }

  override _read(): void {
    if (this.#reading === undefined && !this.#isOver) this.#reading = runOutside(() => this.#next());
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    runOutside(() => this.#socket.sendall(chunk)).then(() => done(), done);
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#kept) this.#socket.close();
    done(error);
  }

  #saidLast(): Promise<void> {
    return new Promise((resolve) => {
      if (this.writableFinished || this.destroyed) resolve();
      else this.once('finish', resolve).once('close', resolve);
    });
  }

  async #next(): Promise<void> {
    try {
      const record = await this.#record();
      this.#reading = undefined;
      if (!this.#isOver) this.push(record);
      else if (record !== null) this.#socket.putBack(record);
    } catch (error) {
      this.#reading = undefined;
      if (!this.#isOver) this.destroy(error as Error);
    }
  }

  /** One record, or what is none, for OpenSSL to refuse; null at the end. */
  async #record(): Promise<Buffer | null> {
    const { signal } = this.#stop;
    let header: Buffer | undefined;
    try {
      header = await this.#socket.recvExactly(headerSize, { signal });
      if (header[1] !== versionMajor || this.#isOver) return header;
      return Buffer.concat([header, await this.#socket.recvExactly(header.readUInt16BE(3), { signal })]);
    } catch (error) {
      if (error instanceof IncompleteReadError) return joined(header, error.partial);
      // What came is for who goes on with the connection.
      if (header !== undefined && this.#released) this.#socket.putBack(header);
      throw error;
    }
  }

  // The end that TLS has read, its consumer perhaps not yet.
  get #isOver(): boolean {
    // oxlint-disable-next-line no-underscore-dangle -- Node's name; what is public tells of the consumer's end only
    return this.#released || (this.#tls as Ending | undefined)?._readableState.ended === true;
  }
}

interface Ending {
  readonly _readableState: { readonly ended: boolean };
}

function joined(header: Buffer | undefined, rest: Buffer): Buffer | null {
  const bytes = header === undefined ? rest : Buffer.concat([header, rest]);
  return bytes.length > 0 ? bytes : null;
}
