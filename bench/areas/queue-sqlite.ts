import { join } from 'node:path';
import type { BenchContext, RowPlan } from '../harness.ts';
import { plainjobQueue } from './queue-sqlite/plainjob.ts';
import type { Queue } from './queue-sqlite/queue.ts';
import { simulQueue } from './queue-sqlite/simul.ts';
import type { Run } from './queue-sqlite/runs.ts';
import { endToEnd, enqueue, enqueueBulk, idleLatency, processWithResults } from './queue-sqlite/runs.ts';

export const title = 'The task queue on the embedded broker (SQLite, synchronous=FULL)';

export const peers = ['plainjob', 'libsql'];

export async function rows(context: BenchContext): Promise<readonly RowPlan[]> {
  const open = async (name: string, make: (directory: string) => Promise<Queue>) => {
    const queue = await make(join(context.directory, name));
    return context.resources.own(queue, async () => queue[Symbol.asyncDispose]());
  };
  const simul = await open('simul', simulQueue);
  const plainjob = context.withPeers ? await open('plainjob', plainjobQueue) : undefined;
  return plans.map(({ run, ours, theirs, ...plan }) => ({
    ...plan,
    ours: contender(simul, run, context.count(ours)),
    peers: plainjob === undefined ? {} : { plainjob: contender(plainjob, run, context.count(theirs)) },
  }));
}

function contender(queue: Queue, run: Run, jobs: number) {
  return { settings: { ...queue.settings, jobs }, run: () => run(queue, jobs), close: () => queue.stopWorker() };
}

// The peer commits and waits for the disk once or more a job, so it gets fewer of them; all figures are per second.
const plans = [
  {
    name: 'enqueue',
    unit: 'task/s',
    better: 'higher',
    note: 'each add awaited, 100 of them under way at a time, no worker; afterwards a worker runs them and every result is checked',
    run: enqueue,
    ours: 10_000,
    theirs: 2_000,
  },
  {
    name: 'enqueue-bulk',
    unit: 'task/s',
    better: 'higher',
    note: 'one call for all, no worker; afterwards a worker runs them and every result is checked',
    run: enqueueBulk,
    ours: 50_000,
    theirs: 5_000,
  },
  {
    name: 'process-with-results',
    unit: 'task/s',
    better: 'higher',
    note: 'a full queue and a worker in its own process; from the first job taken to the last one acknowledged and its result stored, every result checked',
    run: processWithResults,
    ours: 50_000,
    theirs: 4_000,
  },
  {
    name: 'end-to-end',
    unit: 'task/s',
    better: 'higher',
    note: 'an idle worker in its own process; from the bulk enqueue to the last result in the client, every result checked',
    run: endToEnd,
    ours: 20_000,
    theirs: 2_000,
  },
  {
    name: 'latency-idle-p50',
    unit: 'ms',
    better: 'lower',
    note: 'a connected client and an idle worker in its own process; from the call to its durable result, median of the calls, 10 ms apart',
    run: idleLatency,
    ours: 100,
    theirs: 100,
  },
] as const;
