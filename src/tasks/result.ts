import type { WaitOptions } from '../base/deadline.ts';
import { checkSeconds, within } from '../base/deadline.ts';
import { endings, throwIfAnyAborted } from '../base/ending-signals.ts';
import { InvalidStateError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import type { Backend } from './backend.ts';
import { readyStates } from './backend.ts';
import type { Broker } from './broker.ts';
import { currentContext } from './context.ts';
import { fromWireError } from './error-seam.ts';
import { TaskRevokedError } from './errors.ts';
import type { ResultDocument, ResultTuple } from './result-document.ts';
import { errorDocument, readResultDocument } from './result-document.ts';

/** How `result.get` waits. */
export interface GetOptions extends WaitOptions {
  /** Throw the task's error (true), or return it. */
  readonly propagate?: boolean;
  /** Allow the call inside a task, where it deadlocks once every slot waits for another. */
  readonly allowInTask?: boolean;
}

/** What an AsyncResult needs of its app. */
export interface ResultStore {
  backend(): Promise<Backend>;
  broker(): Promise<Broker>;
}

/**
 * The handle of a task that was sent. It is not a promise, so that it can be returned by one; everything it tells is
 * asked of the result backend.
 *
 * @example
 * const result = await add.delay(2, 3);
 * console.log(await result.get({ timeout: 10 })); // 5
 */
export class AsyncResult<R = unknown> {
  readonly id: string;
  readonly #store: ResultStore;

  constructor(id: string, store: ResultStore) {
    this.id = id;
    this.#store = store;
  }

  /**
   * Waits for the task's result. Throws the task's own error, TaskRevokedError if it was revoked, TimeoutError after
   * `timeout` seconds, CancelledError when `signal` is aborted; the task goes on in the last two cases.
   */
  async get(options: GetOptions = {}): Promise<R> {
    checkOptions(options);
    if (currentContext() !== undefined && options.allowInTask !== true) {
      throw new InvalidStateError(
        'result.get() inside a task deadlocks once every slot of the workers waits; chain the tasks, or pass { allowInTask: true }',
      );
    }
    const document = await this.#wait(options);
    if (document.status === 'SUCCESS') return document.result as R;
    const error = errorOf(document);
    if (options.propagate === false) return error as R;
    throw error;
  }

  /** The state as last stored; PENDING while nothing is known, which includes ids that never existed. */
  async status(): Promise<string> {
    return (await this.#document())?.status ?? 'PENDING';
  }

  async ready(): Promise<boolean> {
    return readyStates.has(await this.status());
  }

  async successful(): Promise<boolean> {
    return (await this.status()) === 'SUCCESS';
  }

  async failed(): Promise<boolean> {
    return (await this.status()) === 'FAILURE';
  }

  /** The result, the error of a task that failed, or the data of a state of the task's own; undefined while PENDING. */
  async result(): Promise<unknown> {
    const document = await this.#document();
    if (document === undefined) return undefined;
    return isException(document.status) ? errorOf(document) : document.result;
  }

  /** The stack of the error where the task ran; undefined if it has not failed. */
  async traceback(): Promise<string | undefined> {
    return (await this.#document())?.traceback ?? undefined;
  }

  /** The tasks that this one sent. */
  async children(): Promise<AsyncResult[]> {
    const children = (await this.#document())?.children ?? [];
    return children.map((child) => new AsyncResult(tupleId(child), this.#store));
  }

  /** Deletes the stored result. */
  async forget(): Promise<void> {
    await (await this.#store.backend()).forget([this.id]);
  }

  /**
   * Marks the task as revoked: it will not start any more. With `terminate` a run under way is told to stop through
   * its context's signal (a Celery worker ends the process that runs it). A task that has ended keeps its result.
   */
  async revoke(options: { terminate?: boolean } = {}): Promise<void> {
    const backend = await this.#store.backend();
    const [current] = await backend.fetch([this.id]);
    if (current !== undefined && readyStates.has(current.state)) return;
    const error = new TaskRevokedError(options.terminate === true ? 'terminated' : 'revoked');
    const document = errorDocument({ id: this.id }, 'REVOKED', error);
    // The message may lie for months before a worker meets the mark, and then gives it the lifetime of any result.
    await backend.store([{ id: this.id, state: 'REVOKED', document, keep: true }]);
    await this.#tellWorkers(options.terminate === true);
  }

  toJSON(): ResultTuple {
    return [[this.id, null], null];
  }

  // Celery's workers do not look at results before they run a task, and ours hear sooner of it so.
  async #tellWorkers(terminate: boolean): Promise<void> {
    const broker = await this.#store.broker();
    if (broker.fanout === undefined) return;
    const { Mailbox } = await import('./control/mailbox.ts');
    await new Mailbox(broker).cast('revoke', { task_id: this.id, terminate, signal: 'SIGTERM' });
  }

  async #wait(options: GetOptions): Promise<ResultDocument> {
    if (options.timeout !== undefined) checkSeconds('timeout', options.timeout);
    const bounds = endings(options);
    throwIfAnyAborted(bounds.signals);
    const backend = await this.#store.backend();
    if (bounds.timeout === undefined && bounds.signals.length === 0)
      return readResultDocument((await backend.wait(this.id)).document);
    const stop = new AbortController();
    try {
      const stored = await within(backend.wait(this.id, stop.signal), { ...bounds, what: `task ${this.id}` });
      return readResultDocument(stored.document);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }

  async #document(): Promise<ResultDocument | undefined> {
    const [stored] = await (await this.#store.backend()).fetch([this.id]);
    return stored === undefined ? undefined : readResultDocument(stored.document);
  }
}

function isException(status: string): boolean {
  return status === 'FAILURE' || status === 'RETRY' || status === 'REVOKED';
}

function errorOf(document: ResultDocument): Error {
  return fromWireError(document.result, document.traceback);
}

function tupleId(tuple: ResultTuple): string {
  return tuple[0][0];
}
