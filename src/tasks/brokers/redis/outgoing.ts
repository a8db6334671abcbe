import type { OutgoingMessage } from '../../broker.ts';
import { encodeOutgoing } from '../../outgoing.ts';
import { stepOf } from './layout.ts';

/** A message ready for its list. */
export interface ListedMessage {
  readonly queue: string;
  readonly step: number;
  readonly text: string;
}

/** Checks and writes a message. 0 goes first on this wire, and a message without a priority is one of 0. */
export function listMessage(message: OutgoingMessage): ListedMessage {
  const { queue, text } = encodeOutgoing(message);
  const given = message.envelope.properties.priority;
  const wire = message.priority === undefined ? given : 9 - message.priority;
  return { queue, step: stepOf(typeof wire === 'number' ? wire : 0), text };
}
