import type { UnixAddress } from './address.ts';
import type { SocketType } from './constants.ts';
import { AF_UNIX, SOCK_STREAM } from './constants.ts';
import { openPair } from './native.ts';
import { Socket } from './socket.ts';

/**
 * Two sockets that are connected to each other, for two parts of a program or for a child (`passFds`). socketpair(2).
 *
 * @example
 * const [ours, theirs] = socketpair();
 */
export function socketpair(type: SocketType = SOCK_STREAM): [Socket<UnixAddress>, Socket<UnixAddress>] {
  const [a, b] = openPair(AF_UNIX, type, 0);
  return [new Socket<UnixAddress>(a, AF_UNIX, type), new Socket<UnixAddress>(b, AF_UNIX, type)];
}
