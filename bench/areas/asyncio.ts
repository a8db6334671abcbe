import type { BenchContext, Contender, RowPlan } from '../harness.ts';
import { echo } from './asyncio/echo.ts';
import type { Workload } from './asyncio/child.ts';
import { inChild, inPython } from './asyncio/child.ts';

export const title = 'asyncio: tasks, locks, queues and streams on the event loop';

export const peers = ['async-mutex', 'p-queue', 'p-limit'];

// Each contender runs in a process of its own: once one of them has asynchronous context on, all in the process pay.
export function rows(context: BenchContext): readonly RowPlan[] {
  const child = (workload: Workload, contender: string, full: number): Contender => {
    const n = context.count(full);
    return { settings: { operations: n }, run: () => inChild(workload, contender, n) };
  };
  const against = (workload: Workload, n: number, ...names: string[]): Record<string, Contender> =>
    Object.fromEntries(names.map((name) => [name, child(workload, name, n)]));
  const python = (body: string): Contender => ({ run: () => inPython(body, context.count(200_000)) });
  return [
    {
      name: 'gather',
      unit: 'task/s',
      better: 'higher',
      note: 'tasks created and gathered, each returns at once; median of three rounds in one process',
      ours: child('gather', 'ours', 200_000),
      peers: { cpython: python('noop') },
    },
    {
      name: 'gather-sleep',
      unit: 'task/s',
      better: 'higher',
      note: 'as gather, each task waits for sleep(0)',
      ours: child('gather-sleep', 'ours', 200_000),
      peers: { cpython: python('sleep') },
    },
    {
      name: 'lock',
      unit: 'op/s',
      better: 'higher',
      note: 'acquire and release of a free lock; bare-await is `await` of a resolved promise in the same kind of task',
      ours: child('lock', 'ours', 500_000),
      peers: against('lock', 500_000, 'async-mutex', 'bare-await'),
    },
    {
      name: 'lock-contended',
      unit: 'op/s',
      better: 'higher',
      note: '100 tasks take turns',
      ours: child('lock-contended', 'ours', 200_000),
      peers: against('lock-contended', 200_000, 'async-mutex'),
    },
    {
      name: 'semaphore',
      unit: 'op/s',
      better: 'higher',
      note: '100 tasks, 10 permits, a function that returns a promise runs under each',
      ours: child('semaphore', 'ours', 200_000),
      peers: against('semaphore', 200_000, 'async-mutex', 'p-limit'),
    },
    {
      name: 'semaphore-in-task',
      unit: 'op/s',
      better: 'higher',
      note: 'as semaphore, all contenders inside `run`, where promises carry their task',
      ours: child('semaphore-in-task', 'ours', 200_000),
      peers: against('semaphore-in-task', 200_000, 'async-mutex', 'p-limit'),
    },
    {
      name: 'queue',
      unit: 'job/s',
      better: 'higher',
      note: 'jobs put into a queue that 10 workers empty; every job is counted',
      ours: child('queue', 'ours', 200_000),
      peers: against('queue', 200_000, 'p-limit', 'p-queue'),
    },
    echo(context),
  ];
}
