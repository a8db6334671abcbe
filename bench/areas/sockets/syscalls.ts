import { koffi, libc } from '../../../src/os/libc.ts';
import type { NativeFunction } from '../../../src/os/libc.ts';

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const MSG_DONTWAIT = 0x40;
export const EAGAIN = 11;

const AF_INET = 2;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SHUT_WR = 1;

// By address and in plain integers: what is converted least is called at the least cost.
const calls = {
  socket: libc('int socket(int family, int type, int protocol)'),
  connect: libc('int connect(int fd, void *address, int size)'),
  setsockopt: libc('int setsockopt(int fd, int level, int option, void *value, int size)'),
  shutdown: libc('int shutdown(int fd, int how)'),
};
export const send: NativeFunction = libc('int send(int fd, uintptr_t bytes, int size, int flags)');
export const recv: NativeFunction = libc('int recv(int fd, uintptr_t bytes, int size, int flags)');
export const close: NativeFunction = libc('int close(int fd)');

/** Memory that stays where it is, and its address; hold the bytes for as long as that is used. */
export function memory(size: number): { readonly bytes: Buffer; readonly address: number } {
  const bytes = Buffer.allocUnsafeSlow(size).fill('x');
  return { bytes, address: Number(koffi().address(bytes)) };
}

/** A socket that is connected to a port of this machine. */
export function connected(type: typeof SOCK_STREAM | typeof SOCK_DGRAM, port: number): number {
  const fd = must('socket', calls.socket(AF_INET, type, 0));
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  must('connect', calls.connect(fd, address, address.length));
  if (type === SOCK_STREAM) option(fd, IPPROTO_TCP, TCP_NODELAY, [1, 0]);
  else option(fd, SOL_SOCKET, SO_RCVBUF, [1 << 20, 0]);
  return fd;
}

/** Lets blocking calls wait no longer than that many seconds. */
export function limitWaits(fd: number, seconds: number): void {
  option(fd, SOL_SOCKET, SO_RCVTIMEO, [seconds, 0, 0, 0]);
}

/** No more is sent on this connection. */
export function endSending(fd: number): void {
  must('shutdown', calls.shutdown(fd, SHUT_WR));
}

/** The result of a call, unless that failed. */
export function must(call: string, result: number): number {
  if (result < 0) throw new Error(`${call} failed with errno ${koffi().errno()}`);
  return result;
}

function option(fd: number, level: number, name: number, words: readonly number[]): void {
  const value = Buffer.from(Int32Array.from(words).buffer);
  must('setsockopt', calls.setsockopt(fd, level, name, value, words.length === 2 ? 4 : value.length));
}
