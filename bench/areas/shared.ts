import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { fromModule, ProcessHost, ThreadHost } from '../../src/entry/callable.ts';
import type { Host } from '../../src/entry/callable.ts';
import * as multiprocessing from '../../src/entry/multiprocessing.ts';
import * as threading from '../../src/entry/threading.ts';
import type { BenchContext, Contender, RowPlan } from '../harness.ts';
import { throughput } from '../harness.ts';
import { proveCount } from '../proof.ts';
import { checkBulk, checkSmall } from './shared/messages.ts';
import { python } from './shared/python.ts';

export const title = 'Locks, shared values and queues between processes and threads';

const producersFile = new URL('./shared/producers.js', import.meta.url);
const producers = fromModule<typeof import('./shared/producers.js')>(producersFile);

type Kind = 'small' | 'bulk';

export function rows(context: BenchContext): readonly RowPlan[] {
  const [pairs, messages, large] = [context.count(2_000_000), context.count(300_000), context.count(20_000)];
  const nanoseconds = (seconds: number, count: number) => (seconds / count) * 1e9;
  const rate = (seconds: number, count: number) => count / seconds;
  const ns = { unit: 'ns', better: 'lower' } as const;
  const perSecond = { unit: 'msg/s', better: 'higher' } as const;
  return [
    {
      ...ns,
      name: 'lock-uncontended',
      note: 'acquire and release of a lock between processes that nobody else wants',
      ours: loop(pairs, lockPairs),
      peers: { cpython: python('lock', pairs, nanoseconds) },
    },
    {
      ...ns,
      name: 'value-increment',
      note: 'a shared 32-bit number, incremented under its lock',
      ours: loop(pairs, increments),
      peers: { cpython: python('value', Math.ceil(pairs / 4), nanoseconds) },
    },
    {
      ...perSecond,
      name: 'queue-small',
      note: '{id, name of 10 characters, tags: [3 strings]}, one process to another, each compared on arrival',
      ours: ours('small', messages, 'process'),
      peers: { 'node-ipc-advanced': nodeIpc('small', messages / 3), cpython: python('small', messages / 3, rate) },
    },
    {
      ...perSecond,
      name: 'queue-64k',
      note: 'buffers of 64 KB, one process to another, each compared (ends and length) on arrival',
      ours: ours('bulk', large, 'process'),
      peers: { 'node-ipc-advanced': nodeIpc('bulk', large / 10), cpython: python('bulk', large / 4, rate) },
    },
    {
      ...perSecond,
      name: 'thread-queue',
      note: 'the messages of queue-small, one thread to another',
      ours: ours('small', messages, 'thread'),
      peers: { postMessage: postMessage(messages) },
    },
  ];
}

function loop(count: number, body: (count: number) => void): Contender {
  return {
    settings: { operations: count },
    run: () => {
      const start = performance.now();
      body(count);
      return { value: ((performance.now() - start) / count) * 1e6, operations: count };
    },
  };
}

function lockPairs(count: number): void {
  const lock = new multiprocessing.Lock();
  for (let i = 0; i < count; i++) {
    lock.acquireSync();
    lock.release();
  }
}

function increments(count: number): void {
  const value = new multiprocessing.Value('int32', 0);
  for (let i = 0; i < count; i++) value.updateSync((n) => n + 1);
  proveCount('increments', count, value.value);
}

function ours(kind: Kind, count: number, scope: 'process' | 'thread'): Contender {
  const capacity = 1 << 20;
  let host: Host;
  return {
    settings: { messages: count, capacity },
    prepare: () => {
      host = scope === 'process' ? new ProcessHost() : new ThreadHost();
    },
    run: async () => {
      const queue =
        scope === 'process'
          ? new multiprocessing.Queue<unknown>(0, { capacity })
          : new threading.Queue<unknown>(0, { capacity });
      const fill = kind === 'small' ? producers.fillSmall : producers.fillBulk;
      const check = kind === 'small' ? checkSmall : checkBulk;
      return throughput(count, async () => {
        const filled = host.call(fill, [queue, count]);
        for (let id = 0; id < count; id++) check(await queue.get(), id);
        await filled;
      });
    },
    close: async () => {
      await host.terminate();
    },
  };
}

function nodeIpc(kind: Kind, count: number): Contender {
  let child: ChildProcess;
  return {
    settings: { messages: count },
    prepare: () => {
      child = fork(fileURLToPath(producersFile), ['bench-producer'], { serialization: 'advanced' });
    },
    run: () => throughput(count, () => receive(child, (order) => child.send(order), kind, count)),
    close: () => void child.kill(),
  };
}

function postMessage(count: number): Contender {
  let worker: Worker;
  return {
    settings: { messages: count },
    prepare: () => {
      worker = new Worker(producersFile);
    },
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    run: () => throughput(count, () => receive(worker, (order) => worker.postMessage(order), 'small', count)),
    close: async () => {
      await worker.terminate();
    },
  };
}

function receive(
  from: ChildProcess | Worker,
  order: (order: { kind: Kind; count: number }) => void,
  kind: Kind,
  count: number,
): Promise<void> {
  const check = kind === 'small' ? checkSmall : checkBulk;
  return new Promise((resolve, reject) => {
    let id = 0;
    const listener = (message: unknown) => {
      try {
        check(message, id++);
      } catch (error) {
        reject(error);
      }
      if (id < count) return;
      from.off('message', listener);
      resolve();
    };
    from.on('message', listener);
    order({ kind, count });
  });
}
