import { constants } from 'node:os';
import { Socket as NetSocket } from 'node:net';
import type { BoundedOptions } from '../asyncio/wait.ts';
import { checkWait, inCall, mustWait, shareTimeout } from '../asyncio/wait.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { checkSeconds } from '../base/deadline.ts';
import { ClosedError, InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { close as closeFd, dup } from '../os/descriptor.ts';
import type { Address, AddressOf, InetAddress, UnixAddress } from './address.ts';
import { encodeAddress, showAddress } from './address.ts';
import { untilRoom } from './backoff.ts';
import type { AddressFamily, SocketType } from './constants.ts';
import * as C from './constants.ts';
import { bytesOf, checkSize } from './data.ts';
import type { SocketError } from './errors.ts';
import { socketFailure } from './errors.ts';
import * as native from './native.ts';
import type { SocketOptions } from './options.ts';
import { membership, optionBytes, setOptions } from './options.ts';
import type { Direction } from './readiness.ts';
import { Readiness } from './readiness.ts';
import { resolved } from './resolve.ts';
import type { AcceptSecurity } from './secure-accept.ts';
import { SecureAccept } from './secure-accept.ts';
import { SecuredTransport } from './secured.ts';
import type { SecureOptions, SecurityContext } from './security.ts';
import { most, receiveBytes, receiveShort, short } from './slab.ts';
import type { StreamOptions } from './streams/connection.ts';
import { IncompleteReadError } from './streams/errors.ts';
import { Feed } from './streams/feed.ts';
import type { StreamReader } from './streams/reader.ts';
import { StreamWriter } from './streams/writer.ts';
import type { SocketFile } from './unix-path.ts';
import { bindPath, removeFile } from './unix-path.ts';

const { EAGAIN, EALREADY, EINPROGRESS, EISCONN } = constants.errno;
const nothing = Buffer.alloc(0);
const sent: Promise<void> = Promise.resolve();

/** Where a socket comes from, other than the system. */
export interface SocketSource {
  readonly proto?: number | undefined;
  /** An open socket of this process, which the new object then owns. */
  readonly fileno?: number | undefined;
}

/**
 * A new socket, by default for TCP over IPv4; `socket(AF_INET6)`, `socket(AF_UNIX, SOCK_DGRAM)` and so on. Close it at the
 * end (`using`). Throws SocketError, UnsupportedError where there is no Linux. socket(2), Python's socket.socket.
 *
 * @example
 * using client = socket(AF_INET, SOCK_STREAM);
 * await client.connect(['127.0.0.1', 8080], { timeout: 5 });
 * await client.sendall('hello\n');
 * const answer = await client.recv(1024); // empty at the end of the stream
 */
export function socket<F extends AddressFamily = typeof C.AF_INET>(
  family: F = C.AF_INET as F,
  type: SocketType = C.SOCK_STREAM,
  { proto = 0, fileno }: SocketSource = {},
): Socket<AddressOf<F>> {
  if (!families.includes(family)) throw new InvalidArgumentError('family', family, 'AF_INET, AF_INET6 or AF_UNIX');
  if (!types.includes(type)) {
    throw new InvalidArgumentError('type', type, 'SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET');
  }
  if (fileno !== undefined && !(Number.isInteger(fileno) && fileno >= 0)) {
    throw new InvalidArgumentError('fileno', fileno, 'an open file descriptor');
  }
  return new Socket<AddressOf<F>>(fileno ?? native.openSocket(family, type, proto), family, type);
}

/** The socket object for a descriptor, which it then owns; family and type are asked of the system. */
export function fromDescriptor(fd: number): Socket {
  const family = native.getNumber(fd, C.SOL_SOCKET, C.SO_DOMAIN) as AddressFamily;
  return new Socket(fd, family, native.getNumber(fd, C.SOL_SOCKET, C.SO_TYPE) as SocketType);
}

const families: readonly AddressFamily[] = [C.AF_INET, C.AF_INET6, C.AF_UNIX];
const types: readonly SocketType[] = [C.SOCK_STREAM, C.SOCK_DGRAM, C.SOCK_SEQPACKET];

/**
 * A socket whose calls are awaited. Each waiting call takes `timeout` (seconds; by default that of `settimeout`) and `signal`,
 * and ends with its asyncio task. Failures are SocketError with address and port, use after `close` is ClosedError. A socket somebody
 * has waited on keeps the program alive until it is closed, unless `unref`. Made by `socket`.
 */
export class Socket<A extends Address = Address> implements Disposable, AsyncDisposable {
  readonly family: AddressFamily;
  readonly type: SocketType;
  #fd: number;
  readonly #readiness: Readiness;
  #timeout: number | undefined;
  #peer: A | undefined;
  #file: SocketFile | undefined;
  #secured: SecuredTransport | undefined;
  #secureAccept: SecureAccept | undefined;
  /** Whether the last message of the stream was short. */
  #short = false;
  /** Whether there may be more behind a message that was shorter than asked for. */
  #ahead = false;
  /** What was received for a call that did not end well, for the next one. */
  #unread: Buffer | undefined;

  /** @internal Use `socket`. */
  constructor(fd: number, family: AddressFamily, type: SocketType, peer?: A) {
    this.#fd = fd;
    this.family = family;
    this.type = type;
    this.#peer = peer;
    this.#readiness = new Readiness(fd);
  }

  /** The descriptor, -1 once closed. */
  fileno(): number {
    return this.#fd;
  }

  get closed(): boolean {
    return this.#secured === undefined ? this.#fd < 0 : this.#secured.closed;
  }

  /**
   * Gives it an address: `[host, port]` (port 0: any that is free), a path, `'\0name'`. The socket file of a program that has died is
   * replaced. Throws SocketError (EADDRINUSE, EACCES…). bind(2).
   */
  async bind(address: A): Promise<void> {
    const where = resolved(this.family, address);
    this.bindNow(where instanceof Promise ? await where : where);
  }

  /** @internal As `bind`, of an address that needs no lookup. */
  bindNow(address: Address): void {
    const fd = this.#open();
    if (this.family === C.AF_UNIX) this.#file = bindPath(fd, this.type, address as UnixAddress);
    else native.bind(fd, encodeAddress(this.family, address), address);
  }

  /** Takes connections, and lets `backlog` of them wait to be accepted. listen(2). */
  listen(backlog = 128): void {
    if (!Number.isInteger(backlog) || backlog < 0 || backlog > 0x7fffffff) {
      throw new InvalidArgumentError('backlog', backlog, 'a whole number, 0 or more');
    }
    native.listen(this.#open(), backlog, this.getsockname());
  }

  /** Waits for a connection: the socket for it, and who it is. EMFILE when descriptors are used up. accept(2). */
  accept(options?: WaitOptions): Promise<Accepted<A>> {
    return this.#receiving('a connection', () => this.tryAccept(), options);
  }

  /** The connection that waits already, or undefined. */
  tryAccept(): Accepted<A> | undefined {
    if (this.#secureAccept === undefined) return this.#accept();
    return this.#secureAccept.take(() => this.#accept()) as Accepted<A> | undefined;
  }

  /** @internal From now on connections are secured before they are given. */
  secureAccept(security: AcceptSecurity): void {
    this.#secureAccept = new SecureAccept(security, () => this.#readiness.reading.becomeReady());
  }

  #accept(): Accepted<A> | undefined {
    const taken = native.accept(this.#open());
    if (taken === undefined) return undefined;
    return [new Socket<A>(taken.fd, this.family, this.type, taken.address as A), taken.address as A];
  }

  /**
   * Connects; for datagrams it only fixes the other side. Throws SocketError (ECONNREFUSED, ENOTFOUND… with address and port),
   * TimeoutError; the socket is to be closed then. connect(2).
   */
  connect(address: A, options?: WaitOptions): Promise<void> {
    return inCall(async () => {
      const shared = shareTimeout(this.#with(options));
      const where = resolved(this.family, address, shared);
      const numeric = where instanceof Promise ? await where : where;
      const number = await this.#connect(numeric, shared);
      if (number === 0) this.#peer = numeric as A;
      else throw socketFailure('connect', { address: numeric }, number);
    });
  }

  /** Up to `n` bytes as soon as there are any; an empty Buffer is the end of the stream. Bytes of a datagram beyond `n` are lost. recv(2). */
  recv(n: number, options?: WaitOptions): Promise<Buffer> {
    checkSize(n);
    if (this.#secured !== undefined) return this.#secured.recv(n, this.#with(options));
    return this.#receiving('bytes of a socket', () => this.#take(n), options);
  }

  /** Exactly `n` bytes. IncompleteReadError, with what came, if the stream ends before; else, what came before a failure is kept. */
  recvExactly(n: number, options?: WaitOptions): Promise<Buffer> {
    checkSize(n);
    if (this.#secured !== undefined) return this.#secured.recvExactly(n, this.#with(options));
    return inCall(async () => {
      const into = Buffer.allocUnsafe(n);
      const shared = shareTimeout(this.#with(options));
      for (let filled = 0; filled < n;) filled += await this.#fill(into, filled, shared);
      return into;
    });
  }

  /** Sends what the system takes at once, at least one byte; tells how many. send(2). */
  send(data: string | Uint8Array, options?: WaitOptions): Promise<number> {
    const bytes = bytesOf(data);
    if (this.#secured !== undefined) return this.sendall(bytes, options).then(() => bytes.length);
    return this.#sending(() => this.#put(bytes), options);
  }

  /**
   * Sends all, waiting while the system has no room, so that a slow peer slows the sender down. Calls take turns. If it fails or is
   * cancelled, a part may be on its way. Text goes as UTF-8. (socket.sendall)
   */
  sendall(data: string | Uint8Array, options?: WaitOptions): Promise<void> {
    const bytes = bytesOf(data);
    if (this.#secured !== undefined) return this.#secured.sendall(bytes, this.#with(options));
    const atOnce = options === undefined && this.#fd >= 0 && !mustWait(options) && this.#readiness.writing.mayTry();
    return atOnce ? this.#sendNow(bytes) : this.#sendRest(bytes, options);
  }

  /** A datagram, up to `n` bytes of it, and who sent it. recvfrom(2). */
  recvfrom(n: number, options?: WaitOptions): Promise<[data: Buffer, address: A]> {
    checkSize(n);
    return this.#receiving('a datagram', () => this.tryRecvfrom(n), options);
  }

  /** The datagram that is there already, or undefined. */
  tryRecvfrom(n: number): [data: Buffer, address: A] | undefined {
    const got = receiveBytes(native.receiveFrom, this.#open(), n);
    if (typeof got === 'number') throw this.#failure('recvfrom', -got);
    return got === undefined ? undefined : [got, native.sender() as A];
  }

  /** Sends one datagram; EMSGSIZE if it is too long. Text goes as UTF-8. sendto(2). */
  sendto(data: string | Uint8Array, address: A, options?: WaitOptions): Promise<number> {
    const bytes = bytesOf(data);
    const known = native.encodedSender(address);
    const where = known === undefined ? resolved(this.family, address, options) : address;
    if (where instanceof Promise) return where.then((found) => this.sendto(bytes, found as A, options));
    const to = known ?? encodeAddress(this.family, where);
    const attempt = () => this.#putTo(bytes, to, address);
    // poll(2) says nothing of the queue of a receiver that one is not connected to.
    if (this.family !== C.AF_UNIX) return this.#sending(attempt, options);
    return inCall(() => untilRoom(`room at ${showAddress(address)}`, attempt, this.#with(options)));
  }

  /** The timeout of calls that are given none; undefined (the default) waits for ever. */
  settimeout(seconds: number | undefined): void {
    if (seconds !== undefined) checkSeconds('seconds', seconds);
    this.#timeout = seconds;
  }

  gettimeout(): number | undefined {
    return this.#timeout;
  }

  /** Ends one direction, or both: after SHUT_WR the other side reads to the end, and can still answer. shutdown(2). */
  shutdown(how: typeof C.SHUT_RD | typeof C.SHUT_WR | typeof C.SHUT_RDWR): void {
    if (this.#secured !== undefined) return this.#secured.end();
    native.shutdown(this.#open(), how);
  }

  /** Closes it; who waits on it hears ClosedError. What was sent goes on its way. The file of a bound UNIX socket is removed. Idempotent. */
  close(): void {
    this.#secured?.close();
    this.#secureAccept?.close();
    const fd = this.#leave('the socket was closed', true);
    if (fd < 0) return;
    closeFd(fd);
    if (this.#file !== undefined) removeFile(this.#file);
  }

  /** Gives the descriptor away: the object counts as closed, the descriptor is the caller's to close. */
  detach(): number {
    this.#noUnread('detach');
    const fd = this.#open();
    this.#leave('the socket was detached', false);
    return fd;
  }

  /** A second object and descriptor for the same socket. */
  dup(): Socket<A> {
    return new Socket<A>(dup(this.#open()), this.family, this.type, this.#peer);
  }

  getsockname(): A {
    return native.nameOf(this.#open(), 'getsockname') as A;
  }

  /** The other side of a connection. ENOTCONN if there is none. */
  getpeername(): A {
    return native.nameOf(this.#open(), 'getpeername') as A;
  }

  /** Sets an option by its number; `true` is 1. setsockopt(2). */
  setsockopt(level: number, option: number, value: number | boolean | Uint8Array): void {
    native.setOption(this.#open(), level, option, optionBytes(value));
  }

  /** An option that is a number; with `size`, that many bytes of it. getsockopt(2). */
  getsockopt(level: number, option: number): number;
  getsockopt(level: number, option: number, size: number): Buffer;
  getsockopt(level: number, option: number, size?: number): number | Buffer {
    if (size === undefined) return native.getNumber(this.#open(), level, option);
    return native.getOption(this.#open(), level, option, size);
  }

  /** Sets options by name: `reuseAddress`, `noDelay`, `keepAlive`, `broadcast`, buffer sizes and more. */
  setOptions(options: SocketOptions): this {
    setOptions(this.#open(), this.family, options);
    return this;
  }

  /** Receives what is sent to a multicast group, on an interface given by name or address. */
  addMembership(group: string, via?: string): void {
    membership(this.#open(), this.family, group, { join: true, via });
  }

  dropMembership(group: string, via?: string): void {
    membership(this.#open(), this.family, group, { join: false, via });
  }

  /** Keeps the program alive while it is open and was waited on (the default). */
  ref(): this {
    this.#readiness.hold(true);
    this.#secured?.socket.ref();
    return this;
  }

  unref(): this {
    this.#readiness.hold(false);
    this.#secured?.socket.unref();
    return this;
  }

  /** Hands the connection over to a stream of Node's, which owns it from then on; this object counts as closed. */
  toNodeSocket(): NetSocket {
    if (this.#secured !== undefined) throw new InvalidStateError('a secured connection is a stream of Node already');
    const unread = this.#unread;
    this.#unread = undefined;
    // Node's types do not know that a socket takes a high-water mark.
    const options = { fd: this.detach(), allowHalfOpen: true, highWaterMark: 65_536 };
    const stream = new NetSocket(options);
    if (unread !== undefined) stream.unshift(unread);
    return stream;
  }

  /** Hands the connection over to a reader and a writer as asyncio's; `close` of the writer closes it. (socket.makefile) */
  makeStreams(options: StreamOptions = {}): [reader: StreamReader, writer: StreamWriter] {
    if (this.#secured !== undefined) return this.#secured.streams();
    const stream = this.toNodeSocket();
    const feed = new Feed(stream, options);
    return [feed.reader, new StreamWriter(stream, feed)];
  }

  /**
   * Goes on under TLS, from this point of the conversation on; the other side does the same. Throws what the handshake throws, and
   * the connection is closed then. Nothing may be received meanwhile.
   */
  async startTls(context: SecurityContext, options: SecureOptions = {}): Promise<void> {
    this.#open();
    this.#secured = new SecuredTransport(await context.wrapSocket(this.toNodeSocket(), options));
  }

  /** What a secured connection consists of; undefined for a plain one. */
  get secured(): NetSocket | undefined {
    return this.#secured?.socket;
  }

  /** @internal Ends the waits for something to read, as if it were closed. */
  interrupt(): void {
    this.#readiness.reading.fail('nothing more is received');
  }

  /** @internal Tries until `attempt` gives something, each time there is something to read. */
  whenReadable<T>(attempt: () => T | undefined, options?: WaitOptions): Promise<T> {
    return this.#receiving('a message', attempt, options);
  }

  /**
   * @internal Behind each message the next is looked for at once, or the end of the stream: in a process that has just been forked the first turn of the
   * event loop costs as much as a hundred system calls.
   */
  lookAhead(): void {
    this.#ahead = true;
  }

  /** @internal */
  whenWritable<T>(attempt: () => T | undefined, options?: WaitOptions): Promise<T> {
    return this.#sending(attempt, options);
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

  #receiving<T>(what: string, attempt: () => T | undefined, options: WaitOptions | undefined): Promise<T> {
    return this.#waiting(this.#readiness.reading, what, attempt, options);
  }

  #sending<T>(attempt: () => T | undefined, options: WaitOptions | undefined): Promise<T> {
    return this.#waiting(this.#readiness.writing, 'room in a socket', attempt, options);
  }

  /** Tries at once unless others wait or nothing can be there, then on readiness. */
  #waiting<T>(
    direction: Direction,
    what: string,
    attempt: () => T | undefined,
    options: WaitOptions | undefined,
  ): Promise<T> {
    if (options !== undefined) checkWait(options);
    if (this.#fd < 0) return Promise.reject(new ClosedError('the socket is closed'));
    try {
      const now = mustWait(options) ? undefined : direction.try(attempt);
      if (now !== undefined) return Promise.resolve(now);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#readiness.wait(direction, what, attempt, this.#with(options));
  }

  #sendNow(bytes: Uint8Array): Promise<void> {
    try {
      const put = this.#put(bytes);
      if (put === bytes.length) return sent;
      return this.#sendRest(put === undefined ? bytes : bytes.subarray(put), undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #sendRest(bytes: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    let rest = bytes;
    const attempt = (): true | undefined => {
      do {
        const put = this.#put(rest);
        if (put === undefined) return undefined;
        rest = put === rest.length ? nothing : rest.subarray(put);
      } while (rest.length > 0);
      return true;
    };
    return this.#sending(attempt, options) as Promise<unknown> as Promise<void>;
  }

  #take(n: number): Buffer | undefined {
    if (this.#unread !== undefined) return this.#takeUnread(n);
    if (n === 0) return nothing;
    const got = (this.#short ? receiveShort : receiveBytes)(native.receive, this.#open(), n);
    if (typeof got === 'number') throw this.#failure('recv', -got);
    if (got !== undefined && got.length > 0 && this.type === C.SOCK_STREAM) {
      this.#short = got.length <= short;
      // A stream that gave less than was asked for has no more just now.
      if (got.length < Math.min(n, most) && !this.#ahead) this.#readiness.reading.emptied();
    }
    return got;
  }

  #takeUnread(n: number): Buffer {
    const unread = this.#unread!;
    this.#unread = unread.length > n ? unread.subarray(n) : undefined;
    return unread.subarray(0, n);
  }

  async #fill(into: Buffer, filled: number, options: WaitOptions | undefined): Promise<number> {
    try {
      const bytes = await this.recv(into.length - filled, options);
      if (bytes.length === 0) throw new IncompleteReadError(into.subarray(0, filled), into.length);
      bytes.copy(into, filled);
      return bytes.length;
    } catch (error) {
      if (filled > 0 && !(error instanceof IncompleteReadError)) this.putBack(into.subarray(0, filled));
      throw error;
    }
  }

  /** @internal Gives back what was received, for the next call. */
  putBack(bytes: Buffer): void {
    this.#unread = this.#unread === undefined ? bytes : Buffer.concat([bytes, this.#unread]);
    this.#readiness.reading.ready = true;
  }

  #put(bytes: Uint8Array): number | undefined {
    const put = native.transmit(this.#open(), bytes);
    if (put !== undefined && put < 0) throw this.#failure('send', -put);
    return put;
  }

  #putTo(bytes: Uint8Array, to: Buffer, address: A): number | undefined {
    const put = native.transmitTo(this.#open(), bytes, to);
    if (put !== undefined && put < 0) throw socketFailure('sendto', { address }, -put);
    return put;
  }

  async #connect(address: Address, options: BoundedOptions | undefined): Promise<number> {
    const bytes = encodeAddress(this.family, address);
    // The kernel takes the first call behind one that did not wait for the end of that.
    if (this.#peer !== undefined && this.type !== C.SOCK_DGRAM) return EISCONN;
    const what = `a connection to ${showAddress(address)}`;
    const number = await untilRoom(what, () => this.#tryConnect(bytes), options);
    if (number !== EINPROGRESS && number !== EALREADY) return number;
    const { writing } = this.#readiness;
    writing.emptied(); // until it is connected
    return this.#readiness.wait(writing, what, () => native.outcome(this.#open()), options);
  }

  #tryConnect(bytes: Buffer): number | undefined {
    const number = native.connect(this.#open(), bytes);
    // A UNIX socket whose backlog is full.
    return number === EAGAIN && this.family === C.AF_UNIX ? undefined : number;
  }

  #failure(syscall: string, number: number): SocketError {
    return socketFailure(syscall, this.#peer === undefined ? { fd: this.#fd } : { address: this.#peer }, number);
  }

  #with(options: WaitOptions | undefined): WaitOptions | undefined {
    if (this.#timeout === undefined || options?.timeout !== undefined) return options;
    return { ...options, timeout: this.#timeout };
  }

  #open(): number {
    if (this.#fd < 0) throw new ClosedError('the socket is closed');
    return this.#fd;
  }

  #leave(reason: string, gone: boolean): number {
    const fd = this.#fd;
    this.#fd = -1;
    this.#readiness.close(reason, gone);
    return fd;
  }

  #noUnread(call: string): void {
    if (this.#unread !== undefined) throw new InvalidStateError(`${call}: bytes that were received wait to be read`);
  }
}

/** A connection and who it is from. */
type Accepted<A extends Address> = [connection: Socket<A>, address: A];

/** A socket for TCP or UDP. */
export type InetSocket = Socket<InetAddress>;
/** A UNIX socket. */
export type UnixSocket = Socket<UnixAddress>;
