import { DecodeError } from '../base/errors.ts';
import { decodeJson } from '../base/json/decode.ts';
import { encodeJson } from '../base/json/encode.ts';
import { isRecord } from './envelope.ts';
import { toWireError } from './error-seam.ts';
import { describeThrown } from './thrown.ts';
import { isoTime } from './times.ts';

/** `[[id, parent], null]` for a task, `[[id, parent], [child, …]]` for a group: how Celery names results in results. */
export type ResultTuple = readonly [readonly [string, ResultTuple | null], readonly ResultTuple[] | null];

/** Celery's task meta document (what `celery-task-meta-<id>` holds). */
export interface ResultDocument {
  readonly status: string;
  readonly result: unknown;
  readonly traceback: string | null;
  readonly children: readonly ResultTuple[];
  readonly date_done: string | null;
  readonly task_id: string;
  readonly group_id?: string;
  readonly parent_id?: string;
}

// Readers take 200 levels, the document itself is one.
const deepestResult = 199;

/** What of a task goes into each of its result documents. */
export interface ResultOwner {
  readonly id: string;
  readonly group?: string | undefined;
  readonly parentId?: string | undefined;
}

/** Throws EncodeError, with the path inside the result, for a value that cannot be written. */
export function successDocument(owner: ResultOwner, result: unknown, children: readonly ResultTuple[] = []): string {
  return write(owner, 'SUCCESS', encodeJson(result, { root: 'result', maxDepth: deepestResult }), null, children, true);
}

/** FAILURE, RETRY or REVOKED with its error. */
export function errorDocument(
  owner: ResultOwner,
  status: 'FAILURE' | 'RETRY' | 'REVOKED',
  error: unknown,
  children: readonly ResultTuple[] = [],
): string {
  const traceback = status === 'REVOKED' ? null : describeThrown(error).stack;
  return write(owner, status, encodeJson(toWireError(error)), traceback, children, status !== 'RETRY');
}

/** STARTED, or a state of the user's own, with its data. */
export function stateDocument(owner: ResultOwner, status: string, meta: unknown): string {
  return write(owner, status, encodeJson(meta, { root: 'meta' }), null, [], false);
}

export function readResultDocument(text: string): ResultDocument {
  const value = decodeJson(text, { maxLength: Number.POSITIVE_INFINITY });
  if (!isRecord(value) || typeof value['status'] !== 'string' || typeof value['task_id'] !== 'string') {
    throw new DecodeError('the stored result is not a task result document');
  }
  return {
    ...value,
    status: value['status'],
    task_id: value['task_id'],
    result: value['result'] ?? null,
    traceback: typeof value['traceback'] === 'string' ? value['traceback'] : null,
    children: Array.isArray(value['children']) ? (value['children'] as ResultTuple[]) : [],
    date_done: typeof value['date_done'] === 'string' ? value['date_done'] : null,
  };
}

/** The state in a document, '' in what is none. */
export function storedState(document: string): string {
  // As Celery and we write it; anything else is read in full.
  const state = /^\{"status": "([A-Z_]+)"/.exec(document)?.[1];
  if (state !== undefined) return state;
  try {
    const value = decodeJson(document, { maxLength: Number.POSITIVE_INFINITY });
    return isRecord(value) && typeof value['status'] === 'string' ? value['status'] : '';
  } catch {
    return '';
  }
}

function write(
  owner: ResultOwner,
  status: string,
  result: string,
  traceback: string | null,
  children: readonly ResultTuple[],
  done: boolean,
): string {
  const date = done ? `"${isoTime(new Date())}"` : 'null';
  const group = owner.group === undefined ? '' : `, "group_id": ${encodeJson(owner.group)}`;
  const parent = owner.parentId === undefined ? '' : `, "parent_id": ${encodeJson(owner.parentId)}`;
  return (
    `{"status": ${encodeJson(status)}, "result": ${result}, "traceback": ${traceback === null ? 'null' : encodeJson(traceback)}, ` +
    `"children": ${children.length === 0 ? '[]' : encodeJson(children)}, "date_done": ${date}, ` +
    `"task_id": ${encodeJson(owner.id)}${group}${parent}}`
  );
}
