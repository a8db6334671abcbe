// The sending sides, run in other processes and threads.
import { parentPort } from 'node:worker_threads';
import type { SharedQueue } from '../../../src/ipc/queue.ts';
import { bulk, small } from './messages.ts';

export function fillSmall(queue: SharedQueue<unknown>, count: number): void {
  for (let id = 0; id < count; id++) queue.putSync(small(id));
}

export function fillBulk(queue: SharedQueue<unknown>, count: number): void {
  for (let id = 0; id < count; id++) queue.putSync(bulk(id));
}

// As a program of its own: Node's IPC, and postMessage. Told how many by the first message.
if (process.argv[2] === 'bench-producer') {
  process.on('message', ({ kind, count }: Order) => void send(kind, count));
}
parentPort?.on('message', (order: Order | readonly unknown[]) => {
  // A thread of ours gets batches, which are arrays.
  if (!Array.isArray(order)) post((order as Order).kind, (order as Order).count);
});

interface Order {
  readonly kind: 'small' | 'bulk';
  readonly count: number;
}

async function send(kind: 'small' | 'bulk', count: number): Promise<void> {
  for (let id = 0; id < count; id++) {
    if (!process.send!(kind === 'small' ? small(id) : bulk(id))) await new Promise(setImmediate);
  }
}

function post(kind: 'small' | 'bulk', count: number): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  for (let id = 0; id < count; id++) parentPort!.postMessage(kind === 'small' ? small(id) : bulk(id));
}
