import { Worker } from 'node:worker_threads';
import type { Deferred } from '../../../base/deferred.ts';
import { deferred } from '../../../base/deferred.ts';
import { BrokenError, ConnectionError } from '../../../base/errors.ts';
import { KeepAlive } from '../../../base/keep-alive.ts';
import type { StewardAnswer, StewardedConsumer, StewardRequest } from './steward-protocol.ts';

/** This thread's end of the thread that keeps claims; it does not keep the process alive. */
export class Steward {
  readonly #worker: Worker;
  readonly #keepAlive = new KeepAlive();
  readonly #registrations = new Map<string, Deferred<void>>();
  readonly #removals = new Map<string, () => void>();
  readonly #watchers = new Set<StewardWatcher>();
  readonly #ended = deferred();
  #closing = false;

  constructor(url: string) {
    // Nothing of the program's own flags: a loader or an inspector has no business in there.
    const options = { workerData: { url }, execArgv: [], name: 'simul-redis' };
    this.#worker = new Worker(new URL('./steward-thread.js', import.meta.url), options);
    this.#worker.unref();
    this.#worker.on('message', (answer: StewardAnswer) => {
      if ('registered' in answer) this.#registrations.get(answer.registered)?.resolve();
      if ('removed' in answer) this.#removals.get(answer.removed)?.();
      if ('failed' in answer) this.#fail(answer.failed);
    });
    this.#worker.on('error', (error) => this.#break(error));
    this.#worker.on('exit', () => this.#break(new Error('its thread has ended')));
  }

  /** Keeps a consumer's claims. Resolves when the server knows it, or never will. */
  async add(consumer: StewardedConsumer, watcher: StewardWatcher): Promise<void> {
    this.#watchers.add(watcher);
    const registered = deferred();
    this.#registrations.set(consumer.id, registered);
    this.#post({ add: consumer });
    await Promise.race([registered.promise, this.#ended.promise]);
    this.#registrations.delete(consumer.id);
  }

  /** Resolves when nothing is done for the consumer any more. */
  async remove(id: string, watcher: StewardWatcher): Promise<void> {
    this.#registrations.get(id)?.resolve();
    if (!this.#watchers.delete(watcher)) return;
    const removed = deferred();
    this.#removals.set(id, () => removed.resolve());
    this.#post({ remove: id });
    await this.#keepAlive.during(Promise.race([removed.promise, this.#ended.promise]));
    this.#removals.delete(id);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#post({ close: true });
    await this.#keepAlive.during(this.#ended.promise);
  }

  #post(request: StewardRequest): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(request);
  }

  #break(cause: Error): void {
    this.#ended.resolve();
    if (this.#closing) return;
    const error = new BrokenError(`nothing keeps the claims on Redis any more: ${cause.message}`, { cause });
    for (const watcher of this.#watchers) watcher.broken(error);
    this.#watchers.clear();
  }

  #fail(reason: string): void {
    const error = new ConnectionError(`the claims on Redis are not renewed: ${reason}`, { permanent: true });
    for (const watcher of this.#watchers) watcher.failed(error);
    for (const registration of this.#registrations.values()) registration.resolve();
  }
}

/** Who must know how the keeping of claims goes. */
export interface StewardWatcher {
  /** Nothing keeps the claims any more. */
  broken(error: Error): void;
  /** They could not be renewed, and will not be without somebody's doing. */
  failed(error: Error): void;
}

/** One holder's share of a steward. */
export interface StewardShare {
  readonly steward: Steward;
  /** The last release ends the thread. Idempotent. */
  release(): Promise<void>;
}

const stewards = new Map<string, { steward: Steward; holders: number }>();

/** The steward of a URL, started for its first consumer in this thread. */
export function shareSteward(url: string): StewardShare {
  let entry = stewards.get(url);
  if (entry === undefined) stewards.set(url, (entry = { steward: new Steward(url), holders: 0 }));
  entry.holders++;
  const mine = entry;
  let released: Promise<void> | undefined;
  const release = async () => {
    if (--mine.holders > 0) return;
    stewards.delete(url);
    await mine.steward.close();
  };
  return { steward: entry.steward, release: () => (released ??= release()) };
}
