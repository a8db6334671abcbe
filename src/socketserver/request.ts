import type { Address } from '../socket/address.ts';
import type { Socket } from '../socket/socket.ts';
import type { RequestContext } from './handlers.ts';

/** A connection or a datagram to be served. */
export type Job =
  | { readonly kind: 'connection'; readonly connection: Socket; readonly address: Address }
  | { readonly kind: 'datagram'; readonly data: Buffer; readonly socket: Socket; readonly address: Address };

/** A job on its way, which can be given up. */
export class Request implements RequestContext {
  readonly job: Job;
  /** Why it was given up. */
  reason: Error | undefined;
  /** Ends the work where that is; set by the style. */
  onCancel: ((reason: Error) => void) | undefined;
  #controller: AbortController | undefined;

  constructor(job: Job) {
    this.job = job;
  }

  // Made on demand: most handlers never ask, and it costs as much as a small request.
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.reason !== undefined) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  cancel(reason: Error): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.#controller?.abort(reason);
    this.onCancel?.(reason);
  }
}
