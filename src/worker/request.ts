import type { TaskRequest } from '../tasks/context.ts';
import type { DecodedMessage } from '../tasks/message.ts';
import { readHead } from '../tasks/message.ts';
import type { Job } from './job.ts';

/** The facts of a run from its message, tolerant of everything that Celery tolerates. */
export function taskRequest(job: Job, message: DecodedMessage): TaskRequest {
  const headers = message.headers;
  const { id, task, eta, expires, retries } = readHead(headers);
  const limits = Array.isArray(headers['timelimit']) ? (headers['timelimit'] as unknown[]) : [];
  const info = job.envelope.properties.delivery_info ?? {};
  return {
    id,
    task,
    rootId: text(headers['root_id']) ?? id,
    parentId: text(headers['parent_id']),
    group: text(headers['group']),
    groupIndex: number(headers['group_index']),
    retries,
    eta,
    expires,
    args: message.args,
    kwargs: message.kwargs,
    headers,
    properties: job.envelope.properties as unknown as Record<string, unknown>,
    deliveryInfo: {
      exchange: text(info.exchange) ?? '',
      routingKey: text(info.routing_key) ?? '',
      priority: job.priority,
      redelivered: job.redelivered,
    },
    timeLimit: number(limits[0]),
    softTimeLimit: number(limits[1]),
    origin: text(headers['origin']),
    hostname: job.hostname,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
