import type { Envelope } from '../tasks/envelope.ts';
import type { Continuation } from './continuation.ts';

/** A run as it is handed to a pool; plain data, so that it crosses to threads and processes. */
export interface Job {
  readonly envelope: Envelope;
  readonly hostname: string;
  readonly redelivered: boolean;
  /** 9 first; undefined where the message has none. */
  readonly priority: number | undefined;
}

/** How a run ended, ready to be written wherever it belongs; plain data for the same reason. */
export type Outcome =
  | { readonly kind: 'success'; readonly document: string; readonly next?: Continuation | undefined }
  | {
      readonly kind: 'failure';
      readonly document: string;
      readonly error: string;
      readonly next?: Continuation | undefined;
    }
  | {
      readonly kind: 'retry';
      readonly document: string;
      readonly error: string;
      readonly envelope: Envelope;
      readonly due: number;
    }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'reject'; readonly requeue: boolean; readonly reason: string }
  /** The thread or process that ran it ended under it. */
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'malformed'; readonly document: string; readonly reason: string };
