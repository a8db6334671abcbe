import type { OutgoingMessage } from '../../broker.ts';
import { encodeOutgoing } from '../../outgoing.ts';
import type { Layout } from './layout.ts';
import { stepOf } from './layout.ts';

/** A message ready for its list. */
export interface ListedMessage {
  readonly queue: string;
  readonly list: string;
  readonly text: string;
}

/** Checks and writes a message. 0 goes first on this wire, and a message without a priority is one of 0. */
export function listMessage(message: OutgoingMessage, layout: Layout): ListedMessage {
  const { queue, text } = encodeOutgoing(message);
  return { queue, list: layout.list(queue, stepOf(wirePriority(message))), text };
}

function wirePriority({ priority, envelope }: OutgoingMessage): number {
  if (priority !== undefined) return 9 - priority;
  const given = typeof envelope === 'string' ? undefined : envelope.properties.priority;
  return typeof given === 'number' ? given : 0;
}
