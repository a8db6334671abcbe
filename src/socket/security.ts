import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WaitOptions } from '../base/deadline.ts';

/** Which side of a handshake this is; `timeout` (seconds) and `signal` bound the handshake. */
export interface SecureOptions extends WaitOptions {
  /** Waits for the other side to begin, as a server does. */
  readonly serverSide?: boolean | undefined;
  /** The name a client expects in the server's certificate, and sends as SNI. */
  readonly serverHostname?: string | undefined;
}

/**
 * What makes a connection secret: an SSLContext of `simul/ssl`, known here by its shape only, as sockets lie below TLS.
 */
export interface SecurityContext {
  /**
   * Settles, after the handshake, with a socket that speaks over `transport` and owns it: half-close, back-pressure and
   * `destroy` reach through. Rejects with the handshake's error (with the other side's address and port), TimeoutError
   * or CancelledError, and has destroyed the transport then.
   */
  wrapSocket(transport: NetSocket | Duplex, options?: SecureOptions): Promise<NetSocket>;
}
