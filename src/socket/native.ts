import { constants } from 'node:os';
import { InvalidArgumentError, UnsupportedError } from '../base/errors.ts';
import { errno, libc } from '../os/libc.ts';
import type { NativeFunction } from '../os/libc.ts';
import type { Address } from './address.ts';
import { addressSize, decodeAddress } from './address.ts';
import { SO_ERROR, SOL_SOCKET } from './constants.ts';
import { socketFailure } from './errors.ts';
import { allocateRegion } from './memory.ts';

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
const { EAGAIN, ECONNABORTED, EINPROGRESS, EINTR, ENOTCONN, EPROTO } = constants.errno;

/** socket(2): a new descriptor, non-blocking, closed on exec. */
export function openSocket(family: number, type: number, proto: number): number {
  if (process.platform !== 'linux') {
    throw new UnsupportedError('simul/socket needs Linux: elsewhere use node:net, or the streams of simul/asyncio');
  }
  const fd = native().socket(family, type | flags, proto);
  if (fd < 0) throw socketFailure('socket');
  return fd;
}

/** socketpair(2). */
export function openPair(family: number, type: number, proto: number): [number, number] {
  const ends = [-1, -1];
  const call = libc('int socketpair(int family, int type, int proto, _Out_ int *ends)');
  if (call(family, type | flags, proto, ends) < 0) throw socketFailure('socketpair');
  return [ends[0]!, ends[1]!];
}

export function bind(fd: number, bytes: Buffer, address: Address): void {
  if (libc('int bind(int fd, const void *address, unsigned int size)')(fd, bytes, bytes.length) < 0) {
    throw socketFailure('bind', { address });
  }
}

export function listen(fd: number, backlog: number, address: Address): void {
  if (libc('int listen(int fd, int backlog)')(fd, backlog) < 0) throw socketFailure('listen', { address });
}

/** Begins a connection: 0 if it is there, else the errno. */
export function connect(fd: number, bytes: Buffer): number {
  for (;;) {
    if (native().connect(fd, bytes, bytes.length) === 0) return 0;
    const number = errno();
    if (number !== EINTR) return number;
    return EINPROGRESS;
  }
}

/** How a connection that was begun has ended: 0 or an errno; undefined if it has not. */
export function outcome(fd: number): number | undefined {
  const number = getNumber(fd, SOL_SOCKET, SO_ERROR);
  if (number !== 0) return number;
  storageSize[0] = addressSize;
  if (libc('int getpeername(int fd, void *address, void *size)')(fd, storage, sizeBytes) === 0) return 0;
  const why = errno();
  if (why === ENOTCONN) return undefined;
  throw socketFailure('getpeername', { fd }, why);
}

/** Takes a connection: undefined if none waits. One that was given up by the other side meanwhile is passed over. */
export function accept(fd: number): { fd: number; address: Address } | undefined {
  for (;;) {
    storageSize[0] = addressSize;
    const got = native().accept(fd, storage, sizeBytes, flags);
    if (got >= 0) return { fd: got, address: decodeAddress(storage, storageSize[0]) };
    const number = errno();
    if (number === EAGAIN) return undefined;
    if (number !== EINTR && number !== ECONNABORTED && number !== EPROTO) throw socketFailure('accept', {}, number);
  }
}

/** Bytes received into memory at `address`, 0 at the end; undefined if there are none yet, a negative errno on failure. */
export function receive(fd: number, address: number, size: number): number | undefined {
  for (;;) {
    const got = native().recv(fd, address, size, MSG_DONTWAIT);
    if (got >= 0) return got;
    const number = errno();
    if (number === EAGAIN) return undefined;
    if (number !== EINTR) return -number;
  }
}

/** As `receive`; whose datagram it was is then in `sender`. */
export function receiveFrom(fd: number, address: number, size: number): number | undefined {
  for (;;) {
    storageSize[0] = addressSize;
    const got = native().recvfrom(fd, address, size, MSG_DONTWAIT, storage, sizeBytes);
    if (got >= 0) return got;
    const number = errno();
    if (number === EAGAIN) return undefined;
    if (number !== EINTR) return -number;
  }
}

/** Where the last `receiveFrom` was sent from; the same object again while it is the same. */
export function sender(): Address {
  const size = storageSize[0]!;
  if (size === lastSize && storage.compare(last, 0, size, 0, size) === 0) return lastAddress;
  storage.copy(last, 0, 0, size);
  lastSize = size;
  lastAddress = decodeAddress(storage, size);
  return lastAddress;
}

/** The encoded form of an address that `sender` gave last. */
export function encodedSender(address: Address): Buffer | undefined {
  return address === lastAddress && lastSize > 2 ? last.subarray(0, lastSize) : undefined;
}

/** Bytes the system has taken; undefined if it has no room, a negative errno on failure. */
export function transmit(fd: number, bytes: Uint8Array): number | undefined {
  for (;;) {
    const put = bytes.length <= outboxSize ? transmitCopy(fd, bytes) : transmitFrom(fd, bytes);
    if (put >= 0) return put;
    const number = errno();
    if (number === EAGAIN) return undefined;
    if (number !== EINTR) return -number;
  }
}

function transmitCopy(fd: number, bytes: Uint8Array): number {
  outbox ??= newOutbox();
  outbox.bytes.set(bytes);
  return native().send(fd, outbox.address, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

function transmitFrom(fd: number, bytes: Uint8Array): number {
  return native().sendFrom(fd, bytes, Math.min(bytes.length, most), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// To copy so few bytes costs less than to have their address looked up.
const outboxSize = 1024;
let outbox: { readonly bytes: Uint8Array; readonly address: number } | undefined;

function newOutbox(): NonNullable<typeof outbox> {
  const { memory, address } = allocateRegion(outboxSize);
  return { bytes: new Uint8Array(memory), address };
}

/** More is not taken at once: results are ints. */
const most = 1 << 30;

/** As `transmit`, of a datagram to an address. */
export function transmitTo(fd: number, bytes: Uint8Array, to: Buffer): number | undefined {
  for (;;) {
    const put = native().sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, to, to.length);
    if (put >= 0) return put;
    const number = errno();
    if (number === EAGAIN) return undefined;
    if (number !== EINTR) return -number;
  }
}

export function shutdown(fd: number, how: number): void {
  if (libc('int shutdown(int fd, int how)')(fd, how) < 0) throw socketFailure('shutdown', { fd });
}

/** getsockname(2) or getpeername(2). */
export function nameOf(fd: number, call: 'getsockname' | 'getpeername'): Address {
  storageSize[0] = addressSize;
  const done = libc(`int ${call}(int fd, void *address, void *size)`)(fd, storage, sizeBytes);
  if (done < 0) throw socketFailure(call, { fd });
  return decodeAddress(storage, storageSize[0]);
}

export function setOption(fd: number, level: number, option: number, value: Uint8Array): void {
  const call = libc('int setsockopt(int fd, int level, int option, const void *value, unsigned int size)');
  if (call(fd, level, option, value, value.length) < 0) throw socketFailure('setsockopt', { fd });
}

export function getOption(fd: number, level: number, option: number, size: number): Buffer {
  if (!Number.isInteger(size) || size < 1 || size > 1024) {
    throw new InvalidArgumentError('size', size, 'a number of bytes from 1 to 1024');
  }
  const value = Buffer.alloc(size);
  const length = Buffer.alloc(4);
  length.writeInt32LE(size);
  const call = libc('int getsockopt(int fd, int level, int option, void *value, void *size)');
  if (call(fd, level, option, value, length) < 0) throw socketFailure('getsockopt', { fd });
  return value.subarray(0, length.readInt32LE());
}

/** An option that is an int. */
export function getNumber(fd: number, level: number, option: number): number {
  return getOption(fd, level, option, 4).readInt32LE();
}

// Shared by all calls of this thread: each result is decoded before the next call.
const storage = Buffer.alloc(addressSize);
const storageSize = new Int32Array(1);
const sizeBytes = Buffer.from(storageSize.buffer);
const last = Buffer.alloc(addressSize);
let lastSize = 0;
let lastAddress: Address = '';

interface Native {
  readonly socket: NativeFunction;
  readonly accept: NativeFunction;
  readonly connect: NativeFunction;
  readonly recv: NativeFunction;
  readonly recvfrom: NativeFunction;
  readonly send: NativeFunction;
  readonly sendFrom: NativeFunction;
  readonly sendto: NativeFunction;
}

let bound: Native | undefined;

// Held in fields: what is called per message must not look its prototype up each time.
function native(): Native {
  return (bound ??= {
    socket: libc('int socket(int family, int type, int proto)'),
    accept: libc('int accept4(int fd, void *address, void *size, int flags)'),
    connect: libc('int connect(int fd, const void *address, unsigned int size)'),
    // By address as a plain number, which costs less than a pointer; results are ints, as longs become doubles on the heap.
    recv: libc('int recv(int fd, int64_t buffer, int64_t size, int flags)'),
    recvfrom: libc('int recvfrom(int fd, int64_t buffer, int64_t size, int flags, void *address, void *length)'),
    send: libc('int send(int fd, int64_t buffer, int64_t size, int flags)'),
    sendFrom: libc('int send(int fd, const void *buffer, size_t size, int flags)'),
    sendto: libc('int sendto(int fd, const void *buffer, size_t size, int flags, const void *to, unsigned int length)'),
  });
}
