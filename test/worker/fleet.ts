import { uuid } from '../../src/base/ids.ts';
import type { SimulOptions } from '../../src/tasks/app.ts';
import { Simul } from '../../src/tasks/app.ts';
import { encodeMessage } from '../../src/tasks/message.ts';
import type { Envelope } from '../../src/tasks/envelope.ts';
import type { WorkerOptions } from '../../src/worker/options.ts';
import { Worker } from '../../src/worker/worker.ts';

export interface Fleet {
  readonly app: Simul;
  readonly log: string[];
  readonly start: (options?: WorkerOptions) => Promise<Worker>;
  /** Sends an envelope as it is, however broken. */
  readonly inject: (envelope: Envelope, queue?: string) => Promise<void>;
}

/** Runs `body` with an app on a memory broker of its own, and stops what it started. */
export async function withFleet(body: (fleet: Fleet) => Promise<void>, options: SimulOptions = {}): Promise<void> {
  const app = new Simul('test', { broker: `memory://${uuid()}`, ...options });
  const log: string[] = [];
  const workers: Worker[] = [];
  const start = async (settings: WorkerOptions = {}) => {
    const worker = new Worker(app, { loglevel: 'debug', logWrite: (line) => log.push(line), ...settings });
    workers.push(worker);
    await worker.start();
    return worker;
  };
  const inject = async (envelope: Envelope, queue = 'celery') => {
    await (await app.broker()).publish([{ queue, envelope, priority: undefined, due: undefined }]);
  };
  try {
    await body({ app, log, start, inject });
  } finally {
    for (const worker of workers) await worker.kill();
    await app.close();
  }
}

export function envelopeFor(task: string, args: unknown[] = [], headers: Record<string, unknown> = {}): Envelope {
  const envelope = encodeMessage({ id: uuid(), task, args, kwargs: {}, queue: 'celery' });
  return { ...envelope, headers: { ...envelope.headers, ...headers } };
}
