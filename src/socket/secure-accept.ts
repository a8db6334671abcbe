import { Deque } from '../base/deque.ts';
import { ClosedError } from '../base/errors.ts';
import { runOutside } from '../asyncio/scope.ts';
import type { Address } from './address.ts';
import type { SecureOptions, SecurityContext } from './security.ts';

/** What of a socket is needed here. */
interface Connection {
  startTls(context: SecurityContext, options: SecureOptions): Promise<void>;
  close(): void;
}

type Accepted = [connection: Connection, address: Address];

/** How the connections of a listening socket are secured. */
export interface AcceptSecurity {
  readonly context: SecurityContext;
  /** Seconds that a client has for its handshake. */
  readonly timeout: number | undefined;
  readonly onFailure: ((error: unknown, address: Address) => void) | undefined;
}

/**
 * The handshakes of a listening socket: side by side, so that a client that is slow or says nothing keeps nobody else waiting, and outside
 * every task, as who accepts first may long be gone when a handshake is through.
 */
export class SecureAccept {
  readonly #security: AcceptSecurity;
  readonly #ready = new Deque<Accepted>();
  readonly #closing = new AbortController();
  readonly #changed: () => void;

  /** `changed`: there is something to take. */
  constructor(security: AcceptSecurity, changed: () => void) {
    this.#security = security;
    this.#changed = changed;
  }

  /** Begins the handshake of everybody who waits, and gives a connection that is through with it. */
  take(accept: () => Accepted | undefined): Accepted | undefined {
    for (let next = accept(); next !== undefined; next = accept()) void runOutside(this.#begin, next);
    return this.#ready.shift();
  }

  close(): void {
    this.#closing.abort(new ClosedError('the socket was closed'));
    for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) next[0].close();
  }

  readonly #begin = async (accepted: Accepted): Promise<void> => {
    const [connection, address] = accepted;
    const { context, timeout } = this.#security;
    const { signal } = this.#closing;
    try {
      await connection.startTls(context, { serverSide: true, timeout, signal });
    } catch (error) {
      if (!signal.aborted) this.#security.onFailure?.(error, address);
      return;
    }
    if (signal.aborted) return connection.close();
    this.#ready.push(accepted);
    this.#changed();
  };
}
