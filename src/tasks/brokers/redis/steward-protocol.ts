/** A consumer as the steward's thread knows it. */
export interface StewardedConsumer {
  readonly id: string;
  readonly hostname: string;
  readonly queues: readonly string[];
  readonly lease: number;
  readonly stallTimeout: number | undefined;
  /** Counted up by the thread of the consumer's user while it is not blocked. */
  readonly heartbeat: Int32Array | undefined;
}

/** What is asked of the steward's thread; all is answered, `add` when the server knows the consumer. */
export type StewardRequest =
  | { readonly add: StewardedConsumer }
  | { readonly remove: string }
  | { readonly close: true };

export type StewardAnswer =
  | { readonly registered: string }
  | { readonly removed: string }
  | { readonly closed: true }
  /** Claims are not renewed, for a reason that does not heal by itself. */
  | { readonly failed: string };
