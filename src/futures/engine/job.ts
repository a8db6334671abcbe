import type { Reference } from '../../callable/registry.ts';
import type { Work } from '../future.ts';

/** Told how a call went, exactly once. */
export interface Sink {
  fulfil(value: unknown): void;
  fail(error: unknown): void;
  /** One item of a stream, or the promise of one that comes later. */
  item?(value: unknown): void;
}

/** A function under its number. */
export interface Definition {
  readonly number: number;
  readonly reference: Reference;
  readonly name: string;
  /** Where its arguments lie in those of what calls it, if something does. */
  readonly before?: number;
}

/** A call, as who made it has it. */
export interface Call extends Work {
  /**
   * Tells it to stop, by its signal: it fails if it has not begun; else how it ends is what its sink is told. Where it does not end in its
   * grace time its worker is ended, and the sink fails for that; slots of an event loop go on waiting.
   */
  tell(reason: Error): void;
}

/** What deals with a job when its future is asked to. */
export interface Owner {
  tell(job: Job, reason: Error): void;
  isRunning(job: Job): boolean;
  revoke(job: Job, running: boolean): boolean;
}

/** The worker that has a job. */
export interface Place {
  /** Whether it has begun it. */
  started(job: Job): boolean;
  /** Takes it back; false if it has begun it. */
  revoke(job: Job): boolean;
}

/** Where a job is. */
export const QUEUED = 0;
/** In the ring of a worker. */
export const SENT = 1;
/** Sent by message: it counts as begun. */
export const HOSTED = 2;
export const OVER = 3;

/** What only some jobs have. */
export interface Limits {
  readonly priority: number;
  /** Among those of its priority. */
  readonly order: number;
  /** Seconds it may run. */
  readonly timeout: number | undefined;
  /** When it began (seconds on the monotonic clock), where that is known. */
  begun?: number;
  /** Takes back what listens to its signal. */
  forget?: () => void;
}

/** One call on its way through the engine. */
export class Job implements Call {
  readonly owner: Owner;
  readonly definition: Definition;
  readonly mode: number;
  sink: Sink;
  state = QUEUED;
  place: Place | undefined = undefined;
  id = -1;
  /** Position in the ring. */
  at = 0;
  /** When it was submitted, roughly: in eighths of a millisecond, as a small integer, which takes no memory of its own. */
  submitted = 0;
  /** Arguments: as they are, if nobody can change them or they go by message; else as bytes of some kind. */
  args: unknown = undefined;
  bytes: Uint8Array | undefined = undefined;
  kind = 0;
  byMessage = false;
  /** What goes by message has been cloned. */
  kept = false;
  limits: Limits | undefined = undefined;

  constructor(owner: Owner, definition: Definition, mode: number, sink: Sink) {
    this.owner = owner;
    this.definition = definition;
    this.mode = mode;
    this.sink = sink;
  }

  running(): boolean {
    return this.owner.isRunning(this);
  }

  revoke(running: boolean): boolean {
    return this.owner.revoke(this, running);
  }

  tell(reason: Error): void {
    this.owner.tell(this, reason);
  }

  /** Its future is settled already; what the worker still answers goes nowhere. */
  abandon(): Sink {
    const { sink } = this;
    this.sink = nobody;
    return sink;
  }

  get abandoned(): boolean {
    return this.sink === nobody;
  }
}

/** The sink of a call whose end nobody waits for. */
export const nobody: Sink = { fulfil: () => {}, fail: () => {}, item: () => {} };
