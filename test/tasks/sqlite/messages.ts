import type { Delivery, OutgoingMessage } from '../../../src/tasks/broker.ts';
import type { Envelope } from '../../../src/tasks/envelope.ts';

/** A message of about 900 bytes, as a task's. */
export function message(
  id: string,
  own: Partial<Omit<OutgoingMessage, 'envelope'>> = {},
): Omit<OutgoingMessage, 'envelope'> & { readonly envelope: Envelope } {
  const queue = own.queue ?? 'q';
  const envelope = {
    body: Buffer.from('[[2, 3], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]').toString(
      'base64',
    ),
    'content-type': 'application/json',
    'content-encoding': 'utf-8',
    headers: {
      lang: 'js',
      task: 'shop.add',
      id,
      shadow: null,
      eta: null,
      expires: null,
      group: null,
      group_index: null,
      retries: 0,
      timelimit: [null, null],
      root_id: id,
      parent_id: null,
      argsrepr: '(2, 3)',
      kwargsrepr: '{}',
      origin: 'gen21689@machine',
      ignore_result: false,
      replaced_task_nesting: 0,
      stamped_headers: null,
      stamps: {},
    },
    properties: {
      correlation_id: id,
      reply_to: 'e166f80c-0000-4000-8000-000000000000',
      delivery_mode: 2,
      delivery_info: { exchange: '', routing_key: queue },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: 'f533cff7-aeb4-4c5b-a96c-1c7c981feed7',
    },
  };
  return { queue, envelope, priority: undefined, due: undefined, ...own };
}

export function idOf(delivery: Delivery): string {
  return String(delivery.envelope().headers['id']);
}
