import type { EncodeError } from '../../base/errors.ts';
import { cloneError } from '../../callable/clone.ts';
import { keep, prepare, prepared, prepareKept, prepareList } from '../channel/codec.ts';
import { detached } from '../channel/detached.ts';
import { BEFORE_STREAM, EACH, ONE, STREAM } from '../channel/layout.ts';
import type { Job } from './job.ts';

/** Has the codec write the arguments of a job; false if they must go by message. */
export function preparePayload(job: Job): boolean {
  if (job.bytes !== undefined) {
    prepareKept(job.kind, job.bytes);
    return true;
  }
  return job.mode === EACH ? prepareList(job.args as unknown[]) : prepare(job.args);
}

/** Makes a waiting job independent of what its submitter does to the arguments. EncodeError if they cannot be cloned. */
export function keepPayload(job: Job): void {
  if (job.kept || job.bytes !== undefined || isConstant(job.args)) return;
  if (!job.byMessage && preparePayload(job)) {
    job.bytes = keep();
    job.kind = prepared.kind;
    job.args = undefined;
  } else keepForMessage(job);
}

// The arguments as a message has them, from now on.
function keepForMessage(job: Job): void {
  job.byMessage = true;
  job.kept = true;
  try {
    job.args = detached(job.args);
  } catch (cause) {
    throw culprit(job, cause);
  }
}

function culprit({ mode, definition, args }: Job, cause: unknown): EncodeError {
  if (mode === ONE) return cloneError('arguments[0]', args, cause);
  const before = mode === STREAM ? BEFORE_STREAM : (definition.before ?? 0);
  if (before === 0) return cloneError('arguments', args, cause);
  const list = args as unknown[];
  const own = mode === STREAM ? list.slice(before) : list[before];
  const error = cloneError('arguments', own, cause);
  // What goes along with them.
  return error.path === 'arguments' ? cloneError('the context', list.slice(0, before), cause) : error;
}

/** Keeps what a ring had, after the job was taken back. */
export function keepBytes(job: Job, bytes: Uint8Array, kind: number): void {
  job.args = undefined;
  job.bytes = bytes;
  job.kind = kind;
}

function isConstant(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol');
}
