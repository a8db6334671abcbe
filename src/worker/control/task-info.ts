import { decodeMessage } from '../../tasks/message.ts';
import type { Envelope } from '../../tasks/envelope.ts';
import type { Active } from '../dispatcher.ts';
import type { ControlTarget } from './target.ts';

/** What Celery's monitors want to know of a task at a worker. */
export interface TaskInfo {
  readonly id: string;
  readonly name: string;
  readonly args: unknown;
  readonly kwargs: unknown;
  readonly type: string;
  readonly hostname: string;
  readonly time_start: number | null;
  readonly acknowledged: boolean;
  readonly delivery_info: object;
  readonly worker_pid: number | null;
}

/** A task that runs, or waits for a slot. `safe` gives arguments as text in place of values. */
export function activeInfo(target: ControlTarget, run: Active, safe: boolean): TaskInfo {
  const { clock, settings } = target;
  const running = run.begun === undefined ? null : clock.time() - (clock.now() - run.begun);
  return {
    ...describe(run.envelope, run.id, run.delivery.redelivered, settings.hostname, safe),
    time_start: running,
    acknowledged: run.acknowledged,
    worker_pid: run.begun === undefined ? null : process.pid,
  };
}

/** A task that is put off. */
export function postponedInfo(target: ControlTarget, id: string, envelope: Envelope, redelivered: boolean): TaskInfo {
  return {
    ...describe(envelope, id, redelivered, target.settings.hostname, false),
    time_start: null,
    acknowledged: false,
    worker_pid: null,
  };
}

function describe(envelope: Envelope, id: string, redelivered: boolean, hostname: string, safe: boolean) {
  const { headers, properties } = envelope;
  const type = String(headers['task']);
  return {
    id,
    name: typeof headers['shadow'] === 'string' ? headers['shadow'] : type,
    ...argumentsOf(envelope, safe),
    type,
    hostname,
    delivery_info: {
      exchange: properties.delivery_info?.exchange ?? '',
      routing_key: properties.delivery_info?.routing_key ?? '',
      priority: properties.priority ?? null,
      redelivered,
    },
  };
}

function argumentsOf(envelope: Envelope, safe: boolean): { args: unknown; kwargs: unknown } {
  const { argsrepr, kwargsrepr } = envelope.headers;
  if (safe) return { args: argsrepr ?? null, kwargs: kwargsrepr ?? null };
  try {
    const { args, kwargs } = decodeMessage(envelope);
    return { args, kwargs };
  } catch {
    // A body that cannot be read is the run's failure to report, not ours.
    return { args: null, kwargs: null };
  }
}
