import type { WaitOptions } from '../base/deadline.ts';
import { Deadline, throwIfAborted } from '../base/deadline.ts';
import { BrokenError, ClosedError, TimeoutError, UnsupportedError } from '../base/errors.ts';
import type { Copied } from './message.ts';
import { copyOut, encode } from './message.ts';
import { Monitor } from './monitor.ts';
import { PERMIT_HOLDER_BYTES, PermitHolders } from './permit-holders.ts';
import type { Region } from './region.ts';
import { BODY, LOOK_AGAIN } from './region.ts';
import { recordBytes, Ring } from './ring.ts';
import { Waits } from './waits.ts';
import { untilClosed } from './until-closed.ts';

/** Bytes of the region that counts who has an end open. */
export const END_BYTES = BODY + PERMIT_HOLDER_BYTES;

/** What one end is made of: the rings it reads and writes, if it does, and who has which end open. */
export interface ConnectionParts {
  readonly incoming: Region | undefined;
  readonly outgoing: Region | undefined;
  readonly here: Region;
  readonly there: Region;
}

/**
 * One end of a pipe. It is at its end for the other side when all who have it open, in whatever thread or process, have
 * closed it or died; an end on its way to another process counts as open.
 */
export abstract class SharedConnection<T> implements AsyncIterable<T>, Disposable {
  /** @internal */
  readonly parts: ConnectionParts;
  readonly #incoming: Ring | undefined;
  readonly #outgoing: Ring | undefined;
  readonly #here: Opened;
  readonly #there: Opened;
  readonly #receives: Waits | undefined;
  readonly #sends: Waits | undefined;
  #closed = false;

  protected constructor(parts: ConnectionParts, arrived: boolean) {
    this.parts = parts;
    const { incoming, outgoing } = parts;
    this.#incoming = incoming && new Ring(incoming);
    this.#outgoing = outgoing && new Ring(outgoing);
    this.#here = new Opened(parts.here);
    this.#there = new Opened(parts.there);
    const watch = (again: () => void) => this.#there.watch(again);
    this.#receives = incoming && new Waits(incoming, { what: 'a message', inOrder: true, watch });
    this.#sends = outgoing && new Waits(outgoing, { what: 'room in a Pipe', inOrder: true, watch });
    this.#here.open(arrived);
  }

  get readable(): boolean {
    return this.#incoming !== undefined;
  }

  get writable(): boolean {
    return this.#outgoing !== undefined;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends a value, waiting on the event loop for room. BrokenError if the other end is closed, ClosedError if this one is;
   * EncodeError, InvalidArgumentError (too large), TimeoutError, CancelledError: then it is not sent.
   */
  async send(value: T, options: WaitOptions = {}): Promise<void> {
    throwIfAborted(options.signal);
    const message = encode(value);
    if (this.#writes() && this.#sends!.size === 0 && this.#outgoing!.tryWrite(message)) return;
    const kept = message.keep();
    await this.#sends!.until(() => {
      return (this.#writes() && this.#outgoing!.tryWrite(kept)) || undefined;
    }, options);
  }

  /** As `send`, blocking this thread. */
  sendSync(value: T, { timeout }: { timeout?: number } = {}): void {
    const message = encode(value);
    const deadline = Deadline.after(timeout);
    while (!(this.#writes() && this.#outgoing!.tryWrite(message))) {
      if (deadline.passed)
        throw new TimeoutError(`waiting for room in a Pipe timed out after ${timeout} s`, { timeout });
      this.#outgoing!.waitForSpace(recordBytes(message.size), Math.min(deadline.left, LOOK_AGAIN));
    }
  }

  /** Receives the next value. ClosedError at the end: all of the other side have closed or died; TimeoutError, CancelledError. */
  async recv(options: WaitOptions = {}): Promise<T> {
    throwIfAborted(options.signal);
    this.#reads();
    const record =
      (this.#receives!.size === 0 && this.#take()) || (await this.#receives!.until(() => this.#take(), options));
    return (record.arrive?.() ?? record.value()) as T | Promise<T>;
  }

  /** As `recv`, blocking this thread. */
  recvSync({ timeout }: { timeout?: number } = {}): T {
    this.#reads();
    const deadline = Deadline.after(timeout);
    for (;;) {
      const record = this.#take();
      if (record !== undefined) return record.value() as T;
      if (deadline.passed) throw new TimeoutError(`waiting for a message timed out after ${timeout} s`, { timeout });
      this.#incoming!.waitForData(Math.min(deadline.left, LOOK_AGAIN));
    }
  }

  /** Whether `recv` would not wait (a message, or the end), within `timeout` seconds (default 0). */
  async poll(timeout = 0, { signal }: { signal?: AbortSignal } = {}): Promise<boolean> {
    this.#reads();
    if (this.#ready() || timeout === 0) return this.#ready();
    try {
      await this.#receives!.until(() => this.#ready() || undefined, { timeout, signal });
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }

  /** The values as they come, to the end. */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    return untilClosed(
      () => this.recv(),
      () => this.#closed,
    );
  }

  /** Closes it in this thread or process. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#here.close() > 0) return;
    this.#outgoing?.close();
    this.#incoming?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal It is about to arrive somewhere else too. */
  depart(): void {
    this.#checkOpen();
    this.#here.depart();
  }

  #writes(): true {
    this.#checkOpen();
    if (this.#outgoing === undefined) throw new UnsupportedError('this end of the pipe only receives');
    if (this.#outgoing.closed || !this.#there.any()) throw new BrokenError('the other end is closed');
    return true;
  }

  #reads(): void {
    this.#checkOpen();
    if (this.#incoming === undefined) throw new UnsupportedError('this end of the pipe only sends');
  }

  #take(): Copied | undefined {
    this.#checkOpen();
    const record = this.#incoming!.tryTake(copyOut);
    if (record !== undefined || !this.#atEnd()) return record;
    throw new ClosedError('the other end is closed');
  }

  #ready(): boolean {
    return !this.#incoming!.isEmpty || this.#atEnd();
  }

  // Looked at in this order: what was sent before the end came must not be missed.
  #atEnd(): boolean {
    return (this.#incoming!.closed || !this.#there.any()) && this.#incoming!.isEmpty;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError('this end of the pipe is closed');
  }
}

/** Makes the two rings' regions ready. */
export function startRing(region: Region, capacity: number): Region {
  void new Ring(region, { capacity, limit: 0 });
  return region;
}

class Opened {
  readonly #monitor: Monitor;
  readonly #holders: PermitHolders;

  constructor(region: Region) {
    this.#holders = new PermitHolders(region);
    this.#monitor = new Monitor(region, { what: 'an end', inOrder: false });
  }

  open(arrived: boolean): void {
    this.#monitor.run(() => (arrived ? this.#holders.claimAnonymous() : this.#holders.add()));
  }

  close(): number {
    return this.#monitor.run(() => {
      this.#holders.remove();
      return this.#holders.count();
    });
  }

  depart(): void {
    this.#monitor.run(() => this.#holders.addAnonymous());
  }

  any(): boolean {
    return this.#holders.any();
  }

  watch(again: () => void): () => void {
    return this.#holders.watch(again);
  }
}
