import { isThenable } from '../base/thenable.ts';
import { realClock } from '../base/clock.ts';
import { DecodeError } from '../base/errors.ts';
import type { Simul } from '../tasks/app.ts';
import type { TaskRequest, TaskServices } from '../tasks/context.ts';
import { runInContext, TaskContext } from '../tasks/context.ts';
import type { RetryOptions } from '../tasks/errors.ts';
import { Ignore, MaxRetriesExceededError, NotRegistered, Reject, Retry } from '../tasks/errors.ts';
import type { DecodedMessage } from '../tasks/message.ts';
import { decodeMessage } from '../tasks/message.ts';
import { bindArguments } from '../tasks/parameters.ts';
import { errorDocument, stateDocument, successDocument } from '../tasks/result-document.ts';
import type { RetryPolicy } from '../tasks/retry-policy.ts';
import { isRetried, retryDelay } from '../tasks/retry-policy.ts';
import type { RegisteredTask } from '../tasks/task.ts';
import { describeThrown, headline } from '../tasks/thrown.ts';
import type { Continuation } from './continuation.ts';
import { afterFailure, afterSuccess } from './continuation.ts';
import type { Job, Outcome } from './job.ts';
import { taskRequest } from './request.ts';
import { retryEnvelope } from './retry.ts';

/**
 * Runs one message's task in this thread and tells how it ended: at once where the task did not wait for anything, since
 * promises would cost more than the rest of a short run. Never throws or rejects.
 */
export function execute(app: Simul, job: Job, services: TaskServices): Outcome | Promise<Outcome> {
  let message: DecodedMessage;
  try {
    message = decodeMessage(job.envelope);
  } catch (error) {
    return malformed(job, error);
  }
  const request = taskRequest(job, message);
  const task = app.tasks.get(request.task);
  if (task === undefined) return malformed(job, new NotRegistered(request.task));
  const run: Execution = { app, job, message, task, context: new TaskContext(request, services) };
  if (task.options.trackStarted === true) return runTracked(run, services);
  try {
    const returned = call(run);
    return isThenable(returned) ? awaited(run, returned) : success(run, returned);
  } catch (error) {
    return surely(run, error);
  }
}

/** What a run is about. */
interface Execution {
  readonly app: Simul;
  readonly job: Job;
  readonly message: DecodedMessage;
  readonly task: RegisteredTask;
  readonly context: TaskContext;
}

async function runTracked(run: Execution, services: TaskServices): Promise<Outcome> {
  const { context } = run;
  try {
    await services.storeState(context, 'STARTED', { pid: process.pid, hostname: context.hostname });
    return success(run, await call(run));
  } catch (error) {
    return surely(run, error);
  }
}

async function awaited(run: Execution, returned: PromiseLike<unknown>): Promise<Outcome> {
  try {
    return success(run, await returned);
  } catch (error) {
    return surely(run, error);
  }
}

function call({ task, context }: Execution): unknown {
  return runInContext(context, () => {
    const args = bindArguments(task.params, context.args, context.kwargs);
    return task.options.bind === true ? task.fn(context, ...args) : task.fn(...args);
  });
}

function success({ app, message, context }: Execution, result: unknown): Outcome {
  // Before the document, which names what is sent here among the children.
  const next = afterSuccess(app, message.embed, context, result);
  return { kind: 'success', document: successDocument(context, result, context.children), next };
}

/** The last resort for what a task throws: deciding on it may run the task's own code, getters and proxies included. */
function surely(run: Execution, thrown: unknown): Outcome {
  const { context } = run;
  try {
    return failed(run, thrown);
  } catch (error) {
    const { stack } = describeThrown(error);
    const owner = { id: context.id, group: context.group, parentId: context.parentId };
    return { kind: 'failure', document: errorDocument(owner, 'FAILURE', error), error: stack };
  }
}

/** The document of a state that is not final. */
export function progressDocument(request: TaskRequest, state: string, meta: unknown): string {
  return stateDocument(request, state, meta);
}

function malformed(job: Job, error: unknown): Outcome {
  const id = job.envelope.headers['id'];
  const owner = { id: typeof id === 'string' ? id : '' };
  return { kind: 'malformed', document: errorDocument(owner, 'FAILURE', error), reason: reasonOf(error) };
}

function reasonOf(error: unknown): string {
  if (error instanceof NotRegistered) return `no task is registered as '${error.message}'`;
  return error instanceof DecodeError ? error.message : headline(describeThrown(error));
}

function failed(run: Execution, error: unknown): Outcome {
  const { app, task, context, message } = run;
  if (error instanceof Ignore) return { kind: 'ignore' };
  if (error instanceof Reject) return { kind: 'reject', requeue: error.requeue, reason: error.message };
  const retry = error instanceof Retry ? error.options : automaticRetry(task.options, context, error);
  const fail = (last: unknown) => failure(context, last, afterFailure(app, message.embed, context, last));
  return retry === undefined ? fail(error) : retried(run, retry, fail);
}

function automaticRetry(policy: RetryPolicy, context: TaskContext, error: unknown): RetryOptions | undefined {
  if (!isRetried(policy, error)) return undefined;
  return { error, countdown: retryDelay(policy, context.retries, realClock) };
}

function retried(
  { task, context, job, message }: Execution,
  options: RetryOptions,
  fail: (error: unknown) => Outcome,
): Outcome {
  const most =
    options.maxRetries === undefined
      ? (task.options.maxRetries ?? (task.options.maxRetries === null ? null : 3))
      : options.maxRetries;
  const error = options.error;
  if (most !== null && context.retries >= most) {
    const text = `can't retry ${context.task}[${context.id}]: it has had its ${most} retries`;
    return fail(error ?? new MaxRetriesExceededError(text));
  }
  try {
    const eta =
      options.eta ?? new Date(Date.now() + (options.countdown ?? task.options.defaultRetryDelay ?? 180) * 1000);
    const envelope = retryEnvelope(job.envelope, message, context, eta, options);
    const document = errorDocument(context, 'RETRY', error ?? new Retry(), [[[context.id, null], null]]);
    return {
      kind: 'retry',
      document,
      error: error === undefined ? '' : headline(describeThrown(error)),
      envelope,
      due: eta.getTime() / 1000,
    };
  } catch (refused) {
    return fail(refused);
  }
}

function failure(context: TaskContext, error: unknown, next: Continuation | undefined): Outcome {
  return {
    kind: 'failure',
    document: errorDocument(context, 'FAILURE', error, context.children),
    error: describeThrown(error).stack,
    next,
  };
}
