import { MessagePort } from 'node:worker_threads';
import { cloneError } from '../../callable/clone.ts';
import { hasShareables } from '../../callable/shareable.ts';
import { takeTransfers, transfer } from '../../callable/transfer.ts';
import { keep, prepare, prepared, prepareKept, prepareList } from '../channel/codec.ts';
import { EACH, ONE } from '../channel/layout.ts';
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
  // What is shared is not copied, and its message is made when it is sent.
  if (hasShareables(job.args)) return;
  const moved = takeTransfers(job.args);
  try {
    job.args = structuredClone(job.args, { transfer: moved });
  } catch (cause) {
    throw cloneError(job.mode === ONE ? 'arguments[0]' : 'arguments', job.args, cause);
  }
  if (moved.length > 0) transfer(job.args as object, movables(job.args));
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

// The moved buffers in the clone: all of its buffers and ports that can be moved once more.
function movables(value: unknown, found = new Set<ArrayBuffer | MessagePort>(), seen = new Set<unknown>()): never[] {
  if (typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value);
    if (value instanceof ArrayBuffer || value instanceof MessagePort) found.add(value);
    else if (ArrayBuffer.isView(value)) movables(value.buffer, found, seen);
    else for (const item of Object.values(value)) movables(item, found, seen);
  }
  return [...found] as never[];
}
