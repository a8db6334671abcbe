import type { QuarantinedMessage, QueueSize } from '../broker.ts';
import type { Failure } from './failure.ts';

/** A claimed message on its way: [message, claim, queue, deliveries, redelivered, text]. */
export type ClaimedRow = readonly [number, number, string, number, boolean, string];
/** A result on its way: [id, state, document]. */
export type ResultRow = readonly [string, string, string];

/** Names claims of one consumer: message ids and, beside each, the number of the claim. */
export interface ClaimKeys {
  readonly consumer: number;
  readonly messages: number[];
  readonly claims: number[];
}

export interface ConsumerRequest {
  readonly hostname: string;
  readonly queues: readonly string[];
  readonly lease: number;
  readonly stallTimeout: number | undefined;
  /** Claims count as attempts only once they are begun. */
  readonly begins: boolean;
  /** Incremented by the thread of the consumer's user while it is not blocked. */
  readonly heartbeat: Int32Array | undefined;
}

/**
 * What SQLite's thread can be asked: argument and answer. Columns rather than rows, as a structured clone pays by the
 * object; strings rather than buffers, as those of one byte a character are copied as they are (0.4 µs each, measured).
 */
export interface Calls {
  publish: [{ queues: string[]; ranks: number[]; dues: (number | null)[]; texts: string[] }, void];
  consume: [ConsumerRequest, number];
  /** Answered when there is something, or with undefined when cancelled. */
  receive: [{ consumer: number; max: number }, ClaimedRow[] | undefined];
  begin: [ClaimKeys, void];
  acknowledge: [ClaimKeys, boolean[]];
  release: [ClaimKeys & { due: number | null; attempted: boolean; last: boolean }, void];
  quarantine: [ClaimKeys & { reason: string; id: string | null }, void];
  leave: [{ consumer: number }, void];
  sizes: [{ queues: readonly string[] | undefined }, QueueSize[]];
  /** Deletes about `limit` messages; tells how many, 0 when there are none left. */
  purge: [{ queue: string; limit: number }, number];
  quarantined: [{ limit: number }, QuarantinedMessage[]];
  /** `lifetimes` in seconds, 0 for ever. */
  store: [{ ids: string[]; states: string[]; documents: string[]; lifetimes: number[] }, void];
  fetch: [{ ids: string[] }, (ResultRow | undefined)[]];
  /** Answered when the result is final, or with undefined when cancelled. */
  wait: [{ id: string }, ResultRow | undefined];
  forget: [{ ids: readonly string[] }, void];
  /** Ends the waiting of an earlier `receive` or `wait`, unless it has been answered already. Has no answer. */
  cancel: [{ call: number }, void];
  close: [undefined, void];
}

export type CallName = keyof Calls;

/** One call: its number, its name, its argument. A message is an array of these: all that came up in one tick. */
export type CallMessage = { [Name in CallName]: readonly [number, Name, Calls[Name][0]] }[CallName];

/** One answer: the number of the call and its result, or a failure in third place. */
export type Answer = readonly [number, unknown] | readonly [number, undefined, Failure];

export interface ThreadData {
  readonly path: string;
  readonly locks: string;
  /** Set to 1 and notified when everything is released. */
  readonly closed: Int32Array;
}
