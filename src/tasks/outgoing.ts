import { EncodeError, InvalidArgumentError } from '../base/errors.ts';
import type { OutgoingMessage } from './broker.ts';
import type { Envelope } from './envelope.ts';
import { encodeEnvelope } from './envelope.ts';

/** A message checked and written, as brokers without properties of their own keep it. */
export interface EncodedMessage {
  readonly queue: string;
  readonly text: string;
  /** 0 to 9; RabbitMQ's default of 0, the least urgent, where none was given. */
  readonly priority: number;
  readonly due: number | undefined;
}

/** Checks and writes a message. Throws InvalidArgumentError or EncodeError before anything of the call is sent. */
export function encodeOutgoing(message: OutgoingMessage): EncodedMessage {
  const { queue, envelope, priority, due } = message;
  checkQueue(queue);
  if (priority !== undefined && (!Number.isInteger(priority) || priority < 0 || priority > 9)) {
    throw new InvalidArgumentError('priority', priority, 'an integer from 0 to 9');
  }
  if (due !== undefined && !Number.isFinite(due)) {
    throw new InvalidArgumentError('due', due, 'a time in seconds since the UNIX epoch');
  }
  return {
    queue,
    text: typeof envelope === 'string' ? envelope : write(queue, envelope),
    priority: priority ?? 0,
    due,
  };
}

export function checkQueue(queue: string): void {
  if (typeof queue !== 'string' || queue === '') throw new InvalidArgumentError('queue', queue, 'the name of a queue');
}

function write(queue: string, envelope: Envelope): string {
  try {
    return encodeEnvelope(envelope);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
    throw new EncodeError(`the message for queue "${queue}"`, reason, { cause });
  }
}
