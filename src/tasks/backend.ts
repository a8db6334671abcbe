import type { Clock } from '../base/clock.ts';
import { checkSeconds } from '../base/deadline.ts';

/** A result as a backend keeps it: the document is Celery's, already written. */
export interface StoredResult {
  readonly id: string;
  /** `PENDING` is never stored; SUCCESS, FAILURE and REVOKED are final. */
  readonly state: string;
  readonly document: string;
  /** Never expires, whatever the backend's `resultExpires`, until it is stored again without. Not told by `fetch`. */
  readonly keep?: boolean;
}

/** Where a backend keeps its results, for a broker on the same server to look at them along with its messages. */
export interface ResultPlace {
  /** Equal for brokers and backends that are on one. */
  readonly server: string;
  /** What comes before a task's id in the name of its document. */
  readonly prefix: string;
}

export interface BackendCapabilities {
  readonly durable: boolean;
  readonly shared: boolean;
}

export const readyStates: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'REVOKED']);

/** Whether a result in one state gives way to one in another: SUCCESS never does, a final one only to a final one. */
export function mayReplace(old: string, next: string): boolean {
  return old !== 'SUCCESS' && (!readyStates.has(old) || readyStates.has(next));
}

/**
 * The seam every result backend fits. A stored SUCCESS is never replaced, a final state only by another final one; what
 * is refused so is no error. Calls may overlap; an implementation batches what arrives together.
 */
export interface Backend extends AsyncDisposable {
  readonly capabilities: BackendCapabilities;
  readonly place?: ResultPlace;
  /** Resolves when the results are as safe as the backend makes them, and those who wait have been woken. */
  store(results: readonly StoredResult[]): Promise<void>;
  /** In the order of `ids`; undefined for a task of which nothing is known. */
  fetch(ids: readonly string[]): Promise<(StoredResult | undefined)[]>;
  /** Waits for the task's final state. Rejects with CancelledError when `signal` is aborted, ClosedError after `close`. */
  wait(id: string, signal?: AbortSignal): Promise<StoredResult>;
  /** Deletes results; unknown ids are no error. */
  forget(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface BackendOptions {
  /** Seconds after which a result may be deleted (Celery's `result_expires`; default one day). 0 keeps it. */
  readonly resultExpires?: number;
  /** As a broker's. */
  readonly patience?: number | undefined;
  /** The clock of a backend that lives in this process (`memory://`); others go by the machine's. */
  readonly clock?: Clock;
}

/** The lifetime of a result in seconds, 0 for ever; throws InvalidArgumentError. */
export function resultLifetime(options: BackendOptions): number {
  return checkSeconds('resultExpires', options.resultExpires ?? 86_400);
}
