import { constants } from 'node:os';
import type { WaitOptions } from '../base/deadline.ts';
import { BrokenError, InvalidArgumentError } from '../base/errors.ts';
import { close } from '../os/descriptor.ts';
import { errno, libc } from '../os/libc.ts';
import { SOL_SOCKET } from './constants.ts';
import { socketFailure } from './errors.ts';
import { addressBytes } from './memory.ts';
import type { Socket } from './socket.ts';

// Layouts of struct msghdr, iovec and cmsghdr on 64-bit Linux (recvmsg(2), cmsg(3)).
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const headerSize = 16;
const mostDescriptors = 253;
const { EAGAIN, EINTR } = constants.errno;

/**
 * Sends bytes, at least one, and open descriptors over a UNIX socket: the receiver gets descriptors of its own for the same open
 * files. Ours stay open. (socket.send_fds, unix(7))
 *
 * @example
 * await sendFds(channel, 'take this', [connection.fileno()]);
 */
export function sendFds(
  socket: Socket,
  data: string | Uint8Array,
  fds: readonly number[],
  options?: WaitOptions,
): Promise<number> {
  const bytes = Buffer.from(data as Uint8Array);
  if (bytes.length === 0) throw new InvalidArgumentError('data', data, 'at least one byte');
  if (fds.length > mostDescriptors)
    throw new InvalidArgumentError('fds', fds, `at most ${mostDescriptors} descriptors`);
  return socket.whenWritable(() => {
    const message = new Message(bytes, controlOf(fds));
    const call = libc('long sendmsg(int fd, void *message, int flags)');
    return message.transfer('sendmsg', () => call(socket.fileno(), message.header, MSG_DONTWAIT | MSG_NOSIGNAL));
  }, options);
}

/** Up to `size` bytes and the descriptors that came with them, at most `count`, closed on exec; empty at the end. (socket.recv_fds) */
export function recvFds(
  socket: Socket,
  size: number,
  count: number,
  options?: WaitOptions,
): Promise<[data: Buffer, fds: number[]]> {
  return socket.whenReadable(() => {
    const control = Buffer.alloc(headerSize + align(4 * count));
    const message = new Message(Buffer.alloc(size), control);
    const call = libc('long recvmsg(int fd, void *message, int flags)');
    const got = message.transfer('recvmsg', () =>
      call(socket.fileno(), message.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC),
    );
    if (got === undefined) return undefined;
    const fds = descriptorsOf(control.subarray(0, message.controlSize));
    if ((message.flags & MSG_CTRUNC) === 0) return [message.bytes.subarray(0, got), fds];
    for (const fd of fds) close(fd);
    throw new BrokenError(`more than ${count} descriptors came at once: none was kept`);
  }, options);
}

class Message {
  readonly header = Buffer.alloc(56);
  readonly bytes: Buffer;
  // Held for as long as the header points to them.
  readonly vector = Buffer.alloc(16);
  readonly control: Buffer;

  constructor(bytes: Buffer, control: Buffer) {
    this.bytes = bytes;
    this.control = control;
    this.vector.writeBigUInt64LE(addressBytes(bytes), 0);
    this.vector.writeBigUInt64LE(BigInt(bytes.length), 8);
    this.header.writeBigUInt64LE(addressBytes(this.vector), 16);
    this.header.writeBigUInt64LE(1n, 24);
    if (control.length === 0) return;
    this.header.writeBigUInt64LE(addressBytes(control), 32);
    this.header.writeBigUInt64LE(BigInt(control.length), 40);
  }

  get controlSize(): number {
    return Number(this.header.readBigUInt64LE(40));
  }

  get flags(): number {
    return this.header.readInt32LE(48);
  }

  transfer(syscall: string, call: () => number): number | undefined {
    for (;;) {
      const moved = call();
      if (moved >= 0) return moved;
      const number = errno();
      if (number === EAGAIN) return undefined;
      if (number !== EINTR) throw socketFailure(syscall, {}, number);
    }
  }
}

function controlOf(fds: readonly number[]): Buffer {
  if (fds.length === 0) return Buffer.alloc(0);
  const control = Buffer.alloc(headerSize + align(4 * fds.length));
  control.writeBigUInt64LE(BigInt(headerSize + 4 * fds.length), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [i, fd] of fds.entries()) control.writeInt32LE(fd, headerSize + 4 * i);
  return control;
}

function descriptorsOf(control: Buffer): number[] {
  if (control.length < headerSize || control.readInt32LE(12) !== SCM_RIGHTS) return [];
  const count = (Number(control.readBigUInt64LE(0)) - headerSize) / 4;
  return Array.from({ length: count }, (_, i) => control.readInt32LE(headerSize + 4 * i));
}

function align(size: number): number {
  return (size + 7) & ~7;
}
