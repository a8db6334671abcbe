import { test } from 'node:test';
import { ProcessHost } from '../../src/callable/process-host.ts';
import { Queue } from '../../src/multiprocessing/queue.ts';
import { sized } from '../fixtures/program.ts';
import type { Item } from '../ipc/model-parties.ts';
import { modelQueue } from '../ipc/model.ts';

test('three producers and two consumers: each message exactly once, in order per producer', async () => {
  const hosts = Array.from({ length: 5 }, () => new ProcessHost());
  try {
    const rounds = Math.ceil(sized(1_000_000, 60_000) / 3);
    await modelQueue(new Queue<Item>(), 2, { hosts, rounds, patience: 300, seed: 1 });
  } finally {
    await Promise.all(hosts.map((host) => host.terminate()));
  }
});
