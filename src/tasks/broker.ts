import type { Clock } from '../base/clock.ts';
import type { ResultPlace } from './backend.ts';
import type { Envelope, MessageLimits } from './envelope.ts';
import type { Fanout } from './fanout.ts';

/** What a broker makes of the features that differ between brokers; printed by `simul doctor` and the documentation. */
export interface BrokerCapabilities {
  /** Messages survive the end of every process. */
  readonly durable: boolean;
  /** `native`: held back until due; `claim`: a worker takes them and gives them back with the time they are due. */
  readonly delay: 'native' | 'claim';
  /** How many of the ten priorities are told apart. */
  readonly priorities: number;
  /** The end of the wire's 0 to 9 that goes first; the app writes priorities, 9 first everywhere, in this sense. */
  readonly mostUrgent: 0 | 9;
  /** Other processes can take part. */
  readonly shared: boolean;
}

export interface OutgoingMessage {
  readonly queue: string;
  /** Or its text, where that is written already. */
  readonly envelope: Envelope | string;
  /** 0 to 9, 9 first; undefined is the wire's own default. */
  readonly priority: number | undefined;
  /** Not to be handed out before this time, in seconds since the UNIX epoch. A broker may hand it out all the same. */
  readonly due: number | undefined;
}

/** How many messages of a queue are in which condition. */
export interface QueueSize {
  readonly queue: string;
  readonly waiting: number;
  readonly delayed: number;
  readonly claimed: number;
}

/** A message set aside because nothing could be done with it. */
export interface QuarantinedMessage {
  readonly queue: string;
  /** The task's id where one could be read. */
  readonly id: string | undefined;
  readonly reason: string;
  /** Seconds since the UNIX epoch. */
  readonly time: number;
  /** The message as it stood. */
  readonly text: string;
}

/** A claimed message. It stays claimed while its consumer lives, until one of the consumer's settling calls. */
export interface Delivery {
  /** Names this claim, not the message: a message that is handed out again has another tag. */
  readonly tag: string;
  readonly queue: string;
  /** It has been handed out before, so work on it may have been begun. */
  readonly redelivered: boolean;
  /**
   * How often the message has been handed out, this time included. Claims that were given back (`release` without
   * `attempted`, `close`) are not counted, nor those that were never begun (`countFrom`): what counts is how often work
   * on it may have killed its consumer.
   */
  readonly deliveries: number;
  /**
   * The result document that its task had when it was claimed, null if there was none; undefined if the broker did not
   * look (`ConsumerOptions.results`).
   */
  readonly stored?: string | null | undefined;
  /** Decodes the message; throws DecodeError for one that is malformed. */
  envelope(): Envelope;
}

export interface ConsumerOptions {
  readonly queues: readonly string[];
  /** Seconds after which a claim that is not renewed goes back to its queue. */
  readonly lease: number;
  /** Name of the worker, for those who look at the claims. */
  readonly hostname: string;
  readonly limits?: MessageLimits;
  /** The consumer lets its claims go when the thread that made it has been blocked this long; undefined means never. */
  readonly stallTimeout?: number | undefined;
  /**
   * From where on a claim counts against its message, should the consumer be lost with it: from its receipt (default,
   * costs nothing), or from `begin` on, for a user who claims more than he works on at a time.
   */
  readonly countFrom?: 'receive' | 'begin';
  /** Where results are kept. A broker on the same server tells of each delivery what is stored of its task. */
  readonly results?: ResultPlace | undefined;
}

/** How messages are given back. */
export interface ReleaseOptions {
  /** Not before this time, in seconds since the UNIX epoch. */
  readonly due?: number | undefined;
  /** Work was begun and broke its executor: it counts (false). */
  readonly attempted?: boolean | undefined;
  /** To the back of its queue, behind all that waits there with the same urgency (false); not together with `due`. */
  readonly last?: boolean | undefined;
}

/**
 * Takes messages and settles them. Claims are renewed by the consumer itself, off the thread of its user: a claim
 * expires only when the process is dead, cut off, or silent beyond `stallTimeout`.
 */
export interface Consumer extends AsyncDisposable {
  /**
   * Claims up to `max` messages and waits until there is at least one: of a queue the most urgent first, as far as the
   * broker tells priorities apart, and the oldest among equals. Rejects with CancelledError when `signal` is aborted,
   * and then has claimed nothing; with ClosedError after `close`.
   */
  receive(max: number, signal?: AbortSignal): Promise<Delivery[]>;
  /**
   * Says that work on the claims begins, where that counts (`countFrom`). Resolves when it will be counted whatever
   * ends the process, so it is to be waited for first. Claims that were lost are left alone.
   */
  begin(deliveries: readonly Delivery[]): Promise<void>;
  /** The work is done: the messages are gone. False for a claim that was lost before. */
  acknowledge(deliveries: readonly Delivery[]): Promise<boolean[]>;
  /** Gives messages back to the front of their queues, unless told otherwise. Claims that were lost are left alone. */
  release(deliveries: readonly Delivery[], options?: ReleaseOptions): Promise<void>;
  /** Sets a message aside for good. */
  quarantine(delivery: Delivery, reason: string, id?: string): Promise<void>;
  /** Gives back everything unsettled. Idempotent. */
  close(): Promise<void>;
}

/**
 * The seam every broker fits. Calls may overlap; each implementation batches what arrives together. Everything that
 * keeps the event loop alive does so only while a call is under way.
 */
export interface Broker extends AsyncDisposable {
  readonly capabilities: BrokerCapabilities;
  /** Carries remote control and events, where the broker can. */
  readonly fanout?: Fanout;
  /**
   * Resolves when every message is as safe as the broker makes it. All or none of one call where it can. The messages are
   * read before the call returns. After a failure that leaves it open whether they were stored, the same call may be made
   * again: what was stored with its `token` (a name that never comes again) is not stored twice.
   */
  publish(messages: Iterable<OutgoingMessage>, token?: string): Promise<void>;
  consume(options: ConsumerOptions): Promise<Consumer>;
  /** Sizes of the named queues, or of all that exist. */
  sizes(queues?: readonly string[]): Promise<QueueSize[]>;
  /** Deletes what waits in a queue, delayed messages included, claimed ones not; tells how many. */
  purge(queue: string): Promise<number>;
  /** The messages set aside, newest first. */
  quarantined(limit?: number): Promise<QuarantinedMessage[]>;
  close(): Promise<void>;
}

export interface BrokerOptions {
  /**
   * Seconds for which a server that is away is waited for before a call fails, in place of what the URL says; 0: it fails
   * at once, and so does `consume`. Without meaning for a broker that has no server.
   */
  readonly patience?: number | undefined;
  /** The clock of a broker that lives in this process (`memory://`); others go by the machine's. */
  readonly clock?: Clock;
}
