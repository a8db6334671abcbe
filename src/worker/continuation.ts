import { messageOf } from '../base/error-text.ts';
import { uuidOf } from '../base/ids.ts';
import type { Simul } from '../tasks/app.ts';
import type { StoredResult } from '../tasks/backend.ts';
import type { TaskContext } from '../tasks/context.ts';
import type { Envelope } from '../tasks/envelope.ts';
import { isRecord } from '../tasks/envelope.ts';
import type { Embed } from '../tasks/message.ts';
import { encodeMessage } from '../tasks/message.ts';
import { errorDocument } from '../tasks/result-document.ts';
import { callOf, readSignature } from '../tasks/signature-document.ts';

/** What the end of a task brings with it, by what its message carried; plain data, as it crosses from its pool. */
export interface Continuation {
  /** Calls to send: callbacks and the next link of a chain. */
  readonly calls: readonly Envelope[];
  /** Results of tasks that will never run now. */
  readonly results: readonly StoredResult[];
  /** What the message carried and this worker does not carry on, in words. */
  readonly left: readonly string[];
}

/** Undefined for a message that carried nothing, which is the usual case. Never throws. */
export function afterSuccess(
  app: Simul,
  embed: Embed,
  context: TaskContext,
  result: unknown,
): Continuation | undefined {
  if (isBare(embed)) return undefined;
  const { calls, left, send } = collector(app, context);
  list(embed.callbacks).forEach((callback, i) => send(`callback ${i}`, callback, [result]));
  const chain = list(embed.chain);
  const next = chain.at(-1);
  if (next !== undefined) send('the next task of its chain', next, [result], chain.slice(0, -1));
  if (isRecord(embed.chord)) left.push('the chord it is part of');
  return { calls, results: [], left };
}

/** Undefined for a message that carried nothing. Never throws. */
export function afterFailure(app: Simul, embed: Embed, context: TaskContext, error: unknown): Continuation | undefined {
  if (isBare(embed)) return undefined;
  const { calls, left, send } = collector(app, context);
  list(embed.errbacks).forEach((errback, i) => send(`errback ${i}`, errback, [context.id]));
  const results: StoredResult[] = [];
  // Who waits for the end of the chain would wait for ever.
  for (const link of list(embed.chain)) {
    const options = isRecord(link) && isRecord(link['options']) ? link['options'] : {};
    const id = options['task_id'];
    if (typeof id === 'string')
      results.push({ id, state: 'FAILURE', document: errorDocument({ id }, 'FAILURE', error) });
    if (isRecord(options['chord'])) left.push('a chord its chain is part of');
  }
  if (isRecord(embed.chord)) left.push('the chord it is part of');
  return { calls, results, left };
}

function collector(app: Simul, context: TaskContext) {
  const calls: Envelope[] = [];
  const left: string[] = [];
  const send = (what: string, value: unknown, args: readonly unknown[], chain?: readonly unknown[]): void => {
    try {
      calls.push(envelopeOf(app, context, what, value, args, chain));
    } catch (error) {
      left.push(`${what} (${messageOf(error)})`);
    }
  };
  return { calls, left, send };
}

function envelopeOf(
  app: Simul,
  context: TaskContext,
  what: string,
  value: unknown,
  args: readonly unknown[],
  chain: readonly unknown[] | undefined,
): Envelope {
  const signature = readSignature(value);
  if (signature.subtaskType !== null) throw new TypeError(`a ${signature.subtaskType} is not carried on yet`);
  const message = callOf(signature, args, {
    // The same each time: a task that runs again after a crash does not fan out twice.
    id: uuidOf(`${context.id} ${what}`),
    queue: app.tasks.get(signature.task)?.options.queue ?? app.defaultQueue,
    rootId: context.rootId,
    parentId: context.id,
    chain,
  });
  context.children.push([[message.id, null], null]);
  return encodeMessage(message);
}

function isBare({ callbacks, errbacks, chain, chord }: Embed): boolean {
  if ((callbacks ?? errbacks ?? chain ?? chord ?? null) === null) return true;
  return !isRecord(chord) && [callbacks, errbacks, chain].every((value) => list(value).length === 0);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
