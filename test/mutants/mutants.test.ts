import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host } from '../../src/callable/host.ts';
import { ThreadHost } from '../../src/callable/thread-host.ts';
import { Semaphore } from '../../src/threading/semaphore.ts';
import { Lock } from '../../src/threading/lock.ts';
import { Queue } from '../../src/threading/queue.ts';
import type { Item } from '../ipc/model-parties.ts';
import type { Run } from '../ipc/model.ts';
import { modelLock, modelQueue, modelSemaphore } from '../ipc/model.ts';
import { DoubledItem, DroppedItem, HandedOverTwice, LostWakeUp, OneTooMany } from './planted.ts';

// The same sizes for the sound one and for the mutant: what tells them apart is the bug.
async function withThreads(body: (run: Run) => Promise<void>): Promise<void> {
  const hosts: Host[] = Array.from({ length: 4 }, () => new ThreadHost());
  try {
    await body({ hosts, rounds: 2000, patience: 1, seed: 7 });
  } finally {
    await Promise.all(hosts.map((host) => host.terminate()));
  }
}

const found = (body: (run: Run) => Promise<void>) => assert.rejects(withThreads(body));
const patient = (body: (run: Run) => Promise<void>) => withThreads((run) => body({ ...run, patience: 60 }));

test('the model of a lock passes a sound one and finds one handed over twice and a lost wake-up', async () => {
  await patient((run) => modelLock(new Lock(), run));
  await found((run) => modelLock(new HandedOverTwice(), run));
  await found((run) => modelLock(new LostWakeUp(), run));
});

test('the model of a semaphore passes a sound one and finds one that lets too many in', async () => {
  await patient((run) => modelSemaphore(new Semaphore(2), 2, run));
  await found((run) => modelSemaphore(new OneTooMany(2), 2, run));
});

test('the model of a queue passes a sound one and finds dropped and doubled items', async () => {
  await patient((run) => modelQueue(new Queue<Item>(10), 2, run));
  await found((run) => modelQueue(new DroppedItem<Item>(10), 2, run));
  await found((run) => modelQueue(new DoubledItem<Item>(10), 2, run));
});
