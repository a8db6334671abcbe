import { uuid } from '../base/ids.ts';
import type { TaskContext } from '../tasks/context.ts';
import type { Envelope } from '../tasks/envelope.ts';
import type { RetryOptions } from '../tasks/errors.ts';
import type { DecodedMessage } from '../tasks/message.ts';
import { isoTime, messageTimes } from '../tasks/times.ts';

/**
 * The message of the next try: the same id, body, origin, limits and links, one retry more, itself as its parent. The
 * body goes on as it came, so nothing in it is lost that only the other side understands.
 */
export function retryEnvelope(
  envelope: Envelope,
  message: DecodedMessage,
  context: TaskContext,
  eta: Date,
  options: RetryOptions,
): Envelope {
  const { expires } = messageTimes({ expires: options.expires });
  // Written in vain here, so that headers which cannot travel fail the task, and not the batch it would be sent with.
  if (options.headers !== undefined) JSON.stringify(options.headers);
  const headers = {
    ...withoutDeadLetters(message.headers),
    ...options.headers,
    task: context.task,
    id: context.id,
    retries: context.retries + 1,
    eta: isoTime(eta),
    expires: expires === undefined ? (message.headers['expires'] ?? null) : isoTime(expires),
    root_id: context.rootId,
    parent_id: context.id,
  };
  // Anew, so that the history of the message that failed is not taken for the next one's.
  const { exchange, routing_key } = envelope.properties.delivery_info ?? { exchange: '', routing_key: '' };
  const properties = { ...envelope.properties, delivery_info: { exchange, routing_key }, delivery_tag: uuid() };
  return { ...envelope, headers, properties };
}

// RabbitMQ's record of a dead letter: sent again, it would have the new message dead-lettered at once.
function withoutDeadLetters(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(headers).filter(
    ([name]) => !/^x-(first-|last-)?death/.test(name) && name !== 'redelivered',
  );
  return Object.fromEntries(kept);
}
