import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { hasLibc } from '../../os/libc.ts';
import { transmit } from '../native.ts';

/**
 * What sends bytes past a socket's stream, straight to the system, and tells how many it took: less than half the cost of a
 * small write. 0 whenever something is on its way already, or where there is no such short cut (pipes, TLS, other systems).
 */
export function directSender(outlet: Writable): (bytes: Uint8Array) => number {
  if (!isPlain(outlet) || !available()) return () => 0;
  let usable = outlet.remoteFamily !== undefined; // pipes are sockets of Node's, too
  return (bytes) => {
    if (!usable || outlet.connecting || outlet.writableLength > 0 || outlet.writableCorked > 0) return 0;
    const fd = descriptorOf(outlet);
    if (fd === undefined) return 0;
    const sent = transmit(fd, bytes);
    if (sent !== undefined && sent >= 0) return sent;
    // Full for the moment, or an error, which the stream's own write is to find.
    usable = sent === undefined;
    return 0;
  };
}

// The very class: what derives from it, as TLS does, may have its bytes changed on their way.
function isPlain(outlet: Writable): outlet is Socket {
  return outlet.constructor === Socket;
}

let known: boolean | undefined;

function available(): boolean {
  return (known ??= process.platform === 'linux' && hasLibc());
}

function descriptorOf(socket: Socket): number | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node's own name; there is no public one for a socket's descriptor
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}
