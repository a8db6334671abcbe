import { DecodeError } from '../base/errors.ts';
import { isRecord } from './envelope.ts';
import type { TaskMessage } from './message.ts';

/** A task call inside a message, as Celery writes a signature. Keys that we do not know stay where they came from. */
export interface SignatureDocument {
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  /** `chain`, `group`, `chord`, `xmap`… for a composite; null for a plain call. */
  readonly subtaskType: string | null;
  readonly immutable: boolean;
}

/** Throws DecodeError for what is no signature. */
export function readSignature(value: unknown): SignatureDocument {
  if (!isRecord(value) || typeof value['task'] !== 'string' || value['task'] === '')
    throw new DecodeError('a signature names no task');
  const { args, kwargs, options, subtask_type: type, immutable } = value;
  return {
    task: value['task'],
    args: Array.isArray(args) ? args : [],
    kwargs: isRecord(kwargs) ? kwargs : {},
    options: isRecord(options) ? options : {},
    subtaskType: typeof type === 'string' ? type : null,
    immutable: immutable === true,
  };
}

/** The message of a signature that is called with arguments, which go before its own unless it is immutable. */
export function callOf(
  signature: SignatureDocument,
  args: readonly unknown[],
  given: { id: string; queue: string; rootId: string; parentId: string; chain?: readonly unknown[] | undefined },
): TaskMessage {
  const { task, kwargs, options, immutable } = signature;
  const text = (name: string) => {
    const value = options[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const number = (name: string) => (typeof options[name] === 'number' ? options[name] : undefined);
  return {
    id: text('task_id') ?? given.id,
    task,
    args: immutable ? signature.args : [...args, ...signature.args],
    kwargs,
    queue: text('queue') ?? text('routing_key') ?? given.queue,
    wirePriority: number('priority'),
    eta: time(options['eta'], options['countdown']),
    expires: time(options['expires'], options['expires']),
    retries: number('retries'),
    rootId: given.rootId,
    parentId: given.parentId,
    group: text('group_id'),
    groupIndex: number('group_index'),
    timeLimit: number('time_limit'),
    softTimeLimit: number('soft_time_limit'),
    ignoreResult: typeof options['ignore_result'] === 'boolean' ? options['ignore_result'] : undefined,
    shadow: text('shadow'),
    replyTo: text('reply_to'),
    headers: isRecord(options['headers']) ? options['headers'] : undefined,
    embed: {
      callbacks: options['link'] ?? null,
      errbacks: options['link_error'] ?? null,
      chain: given.chain ?? options['chain'] ?? null,
      chord: options['chord'] ?? null,
    },
  };
}

/** A time, or a number of seconds from now. */
function time(value: unknown, seconds: unknown): Date | undefined {
  if (value instanceof Date) return value;
  if (typeof value === 'string') {
    const date = new Date(/(?:Z|[+-]\d\d:?\d\d)$/i.test(value) ? value : `${value}Z`);
    if (Number.isNaN(date.getTime())) throw new DecodeError(`${JSON.stringify(value)} in a signature is no time`);
    return date;
  }
  return typeof seconds === 'number' ? new Date(Date.now() + seconds * 1000) : undefined;
}
