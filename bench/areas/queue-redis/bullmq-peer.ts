import { loadPeer } from '../../peers.ts';

/** The parts of BullMQ that are used here. */
export interface BullmqModule {
  Queue: new (name: string, options: object) => BullQueue;
  QueueEvents: new (name: string, options: object) => Closable & { waitUntilReady(): Promise<unknown> };
  Worker: new (
    name: string,
    run: (job: { data: { x: number } }) => Promise<number>,
    options: object,
  ) => Closable & { waitUntilReady(): Promise<unknown> };
}

interface Closable {
  close(): Promise<void>;
}

export interface BullJob {
  readonly id: string;
  waitUntilFinished(events: object): Promise<number>;
}

export interface BullQueue extends Closable {
  add(name: string, data: object, options: object): Promise<BullJob>;
  addBulk(jobs: readonly { name: string; data: object; opts: object }[]): Promise<BullJob[]>;
  waitUntilReady(): Promise<unknown>;
}

export const queueName = 'bench';

export function loadBullmq(): Promise<BullmqModule> {
  return loadPeer<BullmqModule>('bullmq');
}
