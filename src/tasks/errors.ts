import { nameClass, SimulError } from '../base/errors.ts';

/** No task of that name is known to the worker. */
export class NotRegistered extends SimulError {
  static readonly pythonType = 'celery.exceptions.NotRegistered';

  constructor(name: string) {
    super('SIMUL_NOT_REGISTERED', name);
  }

  static {
    nameClass(this, 'NotRegistered');
  }
}

/** The task was revoked before or while it ran, or had expired; the message is `revoked`, `terminated` or `expired`. */
export class TaskRevokedError extends SimulError {
  static readonly pythonType = 'celery.exceptions.TaskRevokedError';

  constructor(message = 'revoked') {
    super('SIMUL_CANCELLED', message);
  }

  static {
    nameClass(this, 'TaskRevokedError');
  }
}

/** A task asked for one more retry than it may have, and gave no error of its own. */
export class MaxRetriesExceededError extends SimulError {
  static readonly pythonType = 'celery.exceptions.MaxRetriesExceededError';

  constructor(message: string) {
    super('SIMUL_INVALID_STATE', message);
  }

  static {
    nameClass(this, 'MaxRetriesExceededError');
  }
}

/** The worker thread or process that ran the task died under it. */
export class WorkerLostError extends SimulError {
  static readonly pythonType = 'billiard.exceptions.WorkerLostError';

  constructor(message: string, options: { cause?: unknown } = {}) {
    super('SIMUL_BROKEN', message, options);
  }

  static {
    nameClass(this, 'WorkerLostError');
  }
}

/**
 * The family that steers a task and is no failure: what catches and logs errors lets it pass. It does not extend
 * SimulError, so that `instanceof SimulError` never matches it.
 */
export abstract class ControlFlow extends Error {
  static {
    nameClass(this, 'ControlFlow');
  }
}

/** Thrown by `ctx.retry`: the task will run again. */
export class Retry extends ControlFlow {
  static readonly pythonType = 'celery.exceptions.Retry';
  readonly options: RetryOptions;

  constructor(options: RetryOptions = {}) {
    super('retry', options.error === undefined ? undefined : { cause: options.error });
    this.options = options;
  }

  static {
    nameClass(this, 'Retry');
  }
}

/** Throw it to end a task without storing any state. */
export class Ignore extends ControlFlow {
  static readonly pythonType = 'celery.exceptions.Ignore';

  constructor(message = 'ignored') {
    super(message);
  }

  static {
    nameClass(this, 'Ignore');
  }
}

/** Throw it to refuse the message: to the back of its queue with `requeue`, otherwise gone; no state is stored. */
export class Reject extends ControlFlow {
  static readonly pythonType = 'celery.exceptions.Reject';
  readonly requeue: boolean;

  constructor(message = 'rejected', options: { requeue?: boolean } = {}) {
    super(message);
    this.requeue = options.requeue ?? false;
  }

  static {
    nameClass(this, 'Reject');
  }
}

/** When a task that asks for it runs again. */
export interface RetryOptions {
  /** The error behind the retry; thrown in its place once the retries are used up. */
  readonly error?: unknown;
  /** Seconds until the task runs again (default: the task's `defaultRetryDelay`, 180). */
  readonly countdown?: number;
  readonly eta?: Date;
  readonly expires?: number | Date;
  /** Overrides the task's `maxRetries` for this decision; null means without end. */
  readonly maxRetries?: number | null;
  readonly headers?: Readonly<Record<string, unknown>>;
}
