import { messageOf } from '../base/error-text.ts';
import type { Delivery } from '../tasks/broker.ts';
import type { Envelope } from '../tasks/envelope.ts';
import { EnvelopeError } from '../tasks/envelope.ts';
import type { MessageHead } from '../tasks/message.ts';
import { decodeMessage, messageId, readHead } from '../tasks/message.ts';

/** A delivery whose headers could be read, or why they could not. */
export type Opened =
  | { readonly delivery: Delivery; readonly head: MessageHead; readonly envelope: Envelope }
  | { readonly delivery: Delivery; readonly head: undefined; readonly id: string | undefined; readonly reason: string };

/** Reads the headers of a message. Never throws: what cannot be read comes back with the reason. */
export function openDelivery(delivery: Delivery): Opened {
  let envelope: Envelope | undefined;
  try {
    envelope = delivery.envelope();
    if (envelope.headers['task'] === undefined) envelope = fromProtocol1(envelope);
    return { delivery, head: readHead(envelope.headers), envelope };
  } catch (error) {
    const reason = messageOf(error);
    return { delivery, head: undefined, id: envelope === undefined ? idOf(error) : messageId(envelope), reason };
  }
}

function idOf(error: unknown): string | undefined {
  return error instanceof EnvelopeError ? error.id : undefined;
}

// Protocol 1 keeps everything in the body; its headers are put where protocol 2 has them, and the body stays as it is.
function fromProtocol1(envelope: Envelope): Envelope {
  return { ...envelope, headers: decodeMessage(envelope).headers };
}
