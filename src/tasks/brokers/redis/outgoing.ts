import type { OutgoingMessage } from '../../broker.ts';
import { encodeOutgoing } from '../../outgoing.ts';
import { stepOf } from './layout.ts';

/** A message ready for its list. */
export interface ListedMessage {
  readonly queue: string;
  readonly step: number;
  readonly text: string;
}

/** Checks and writes a message. What Celery reads the priority from when it gives a message back is set to match. */
export function listMessage(message: OutgoingMessage): ListedMessage {
  const given = message.envelope.properties.priority;
  // 0 goes first on this wire; a message without a priority is one of 0, as kombu has it.
  const wire = message.priority === undefined ? given : 9 - message.priority;
  if (wire === given || wire === undefined) return listed(message, typeof given === 'number' ? given : 0);
  const properties = { ...message.envelope.properties, priority: wire };
  return listed({ ...message, envelope: { ...message.envelope, properties } }, wire);
}

function listed(message: OutgoingMessage, wire: number): ListedMessage {
  const { queue, text } = encodeOutgoing(message);
  return { queue, step: stepOf(wire), text };
}
