import { addressBytes } from './memory.ts';
import { AF_UNIX, SHUT_RD, SOL_SOCKET } from './constants.ts';
import type { Socket } from './socket.ts';

const SO_ATTACH_FILTER = 26;
const BPF_RET = 6;

/**
 * Lets nobody join the queue of a listening socket any more, while those in it can still be accepted. To close it first
 * would reset them, and with them requests that were perhaps sent already.
 */
export function quiesce(listener: Socket): void {
  if (listener.family === AF_UNIX) return listener.shutdown(SHUT_RD);
  // For TCP, shutdown empties the queue. A filter that drops every packet (socket(7)) does not: a client that comes now
  // tries again in a second, and is refused by then.
  const program = Buffer.alloc(8);
  program.writeUInt16LE(BPF_RET);
  const filter = Buffer.alloc(16);
  filter.writeUInt16LE(1);
  filter.writeBigUInt64LE(addressBytes(program), 8);
  listener.setsockopt(SOL_SOCKET, SO_ATTACH_FILTER, filter);
}
