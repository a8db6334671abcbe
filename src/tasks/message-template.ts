import { EncodeError } from '../base/errors.ts';
import { uuid } from '../base/ids.ts';
import { encodeJson } from '../base/json/encode.ts';
import { defaultLimits } from './envelope.ts';
import { origin, replyAddress } from './identity.ts';
import { argsRepr, kwargsRepr } from './repr.ts';
import { isoTime } from './times.ts';

/** What all messages of a task have in common that are sent with the same options. */
export interface CommonParts {
  readonly task: string;
  readonly queue: string;
  readonly retries?: number | undefined;
  readonly group?: string | undefined;
  readonly groupIndex?: number | undefined;
  /** Hard and soft limits in seconds. */
  readonly timeLimit?: number | undefined;
  readonly softTimeLimit?: number | undefined;
  readonly ignoreResult?: boolean | undefined;
  readonly shadow?: string | undefined;
  readonly origin?: string | undefined;
  readonly replyTo?: string | undefined;
  /** The user's own headers; they do not replace the protocol's. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
}

/** What is a message's own, its arguments apart. */
export interface OwnParts {
  readonly id: string;
  readonly eta?: Date | undefined;
  readonly expires?: Date | undefined;
  readonly rootId?: string | undefined;
  readonly parentId?: string | undefined;
}

/** The third part of a body: what is to happen with the result. Kept as it came; canvas gives it meaning. */
export interface Embed {
  readonly callbacks: unknown;
  readonly errbacks: unknown;
  readonly chain: unknown;
  readonly chord: unknown;
}

export const noEmbed: Embed = { callbacks: null, errbacks: null, chain: null, chord: null };
const noEmbedJson = encodeJson(noEmbed);

/** The arguments of a call as its message carries them; those that monitors show are JSON. */
export interface EncodedArguments {
  /** Base64. */
  readonly body: string;
  readonly argsRepr: string;
  readonly kwargsRepr: string;
}

// What a worker would refuse is refused at the call. The body's own array is one level; base64 makes four characters of
// three bytes, and some room is left for headers.
const maxDepth = defaultLimits.maxDepth - 1;
const longestBody = Math.floor((defaultLimits.maxLength - 2 ** 20) * 0.75);

/** Throws EncodeError with the path of what cannot travel. */
export function encodeArguments(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  embed?: Embed,
): EncodedArguments {
  const argsJson = encodeJson(args, { root: 'args', maxDepth });
  const kwargsJson = encodeJson(kwargs, { root: 'kwargs', maxDepth });
  const body = `[${argsJson}, ${kwargsJson}, ${embed === undefined ? noEmbedJson : encodeJson(embed)}]`;
  if (body.length > longestBody) {
    throw new EncodeError('args', `${body.length} bytes in one message; a worker takes ${longestBody} at most`);
  }
  return {
    // ASCII as this dialect is, it is its own bytes, and `btoa` is twice as fast as a Buffer.
    body: btoa(body),
    argsRepr: encodeJson(argsRepr(args)),
    kwargsRepr: encodeJson(kwargsRepr(kwargs)),
  };
}

/**
 * Writes messages of Celery's protocol 2 as kombu's envelopes. Most of a message is the same in all those of a task:
 * that is written once, which makes a message several times cheaper than by JSON.stringify as a whole.
 */
export class MessageTemplate {
  readonly #headers: string;
  readonly #properties: string;

  /** Throws EncodeError for headers that cannot be written. */
  constructor(parts: CommonParts) {
    const headers = members(headersOf(parts), parts.queue);
    this.#headers = `","content-encoding":"utf-8","content-type":"application/json","headers":{${headers},"id":`;
    this.#properties = `,${members(propertiesOf(parts), parts.queue)},"delivery_tag":"`;
  }

  /** The text of an envelope; `wirePriority` is on the broker's own scale, undefined leaves the wire's default. */
  write(own: EncodedArguments & OwnParts, wirePriority: number | undefined): string {
    const id = encodeJson(own.id);
    const root = own.rootId === undefined ? id : encodeJson(own.rootId);
    return (
      `{"body":"${own.body}${this.#headers}${id},"root_id":${root}${ancestry(own)}${own.argsRepr}` +
      `,"kwargsrepr":${own.kwargsRepr}},"properties":{"correlation_id":${id}${options(own, wirePriority)}${this.#properties}${uuid()}"}}`
    );
  }
}

function ancestry({ parentId, eta, expires }: OwnParts): string {
  // Few and long pieces make a text cheaper than many.
  if (parentId === undefined && eta === undefined && expires === undefined) return plain;
  const parent = parentId === undefined ? 'null' : encodeJson(parentId);
  return `,"parent_id":${parent},"eta":${timeJson(eta)},"expires":${timeJson(expires)},"argsrepr":`;
}

const plain = ',"parent_id":null,"eta":null,"expires":null,"argsrepr":';

function options({ expires }: OwnParts, wirePriority: number | undefined): string {
  const priority = wirePriority === undefined ? '' : `,"priority":${JSON.stringify(wirePriority)}`;
  if (expires === undefined) return priority;
  return `${priority},"expiration":"${Math.max(0, Math.round(expires.getTime() - Date.now()))}"`;
}

function headersOf(parts: CommonParts): Record<string, unknown> {
  const { task, retries, group, groupIndex, timeLimit, softTimeLimit, ignoreResult, shadow } = parts;
  return {
    ...parts.headers,
    ...withoutOwn,
    lang: 'js',
    task,
    shadow: shadow ?? null,
    group: group ?? null,
    group_index: groupIndex ?? null,
    retries: retries ?? 0,
    timelimit: [timeLimit ?? null, softTimeLimit ?? null],
    origin: parts.origin ?? origin,
    // Null leaves it to the task's own setting; Celery's workers take false for a wish to have the result.
    ignore_result: ignoreResult ?? null,
    replaced_task_nesting: 0,
    stamped_headers: null,
    stamps: {},
  };
}

// A member must not stand there twice because the user has a header of that name.
const withoutOwn = {
  id: undefined,
  root_id: undefined,
  parent_id: undefined,
  eta: undefined,
  expires: undefined,
  argsrepr: undefined,
  kwargsrepr: undefined,
};

function propertiesOf({ queue, replyTo }: CommonParts): Record<string, unknown> {
  return {
    reply_to: replyTo ?? replyAddress,
    delivery_mode: 2,
    delivery_info: { exchange: '', routing_key: queue },
    body_encoding: 'base64',
  };
}

/** The members of an object as JSON, without the braces. */
function members(values: Record<string, unknown>, queue: string): string {
  try {
    // Left out as any function is; it would be called for the whole.
    const data = typeof values['toJSON'] === 'function' ? { ...values, toJSON: undefined } : values;
    return JSON.stringify(data).slice(1, -1);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
    throw new EncodeError(`the message for queue "${queue}"`, reason, { cause });
  }
}

function timeJson(time: Date | undefined): string {
  return time === undefined ? 'null' : `"${isoTime(time)}"`;
}
