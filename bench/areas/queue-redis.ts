import type { BenchContext, RowPlan } from '../harness.ts';
import { bullmq } from './queue-redis/bullmq.ts';
import { celery } from './queue-redis/celery.ts';
import type { Queue, QueueMaker } from './queue-redis/queue.ts';
import { RedisServer } from './queue-redis/redis-server.ts';
import type { Run } from './queue-redis/runs.ts';
import { endToEnd, enqueue, enqueueBulk, idleLatency, process, processWithResults } from './queue-redis/runs.ts';
import { simul } from './queue-redis/simul.ts';
import { tuned } from './queue-redis/tuned.ts';

export const title = 'The task queue on Redis (no persistence, loopback)';

export const peers = ['bullmq'];

export async function rows(context: BenchContext): Promise<readonly RowPlan[]> {
  const server = context.resources.own(await RedisServer.start(), async (it) => it[Symbol.asyncDispose]());
  const open = async (maker: QueueMaker, jobs: number) => {
    const queue = await tuned(maker, server, context, jobs);
    return context.resources.own(queue, async (it) => it[Symbol.asyncDispose]());
  };
  const ours = await open(simul, 20_000);
  const theirs = context.withPeers
    ? { bullmq: await open(bullmq, 10_000), celery: await open(celery, 2_000) }
    : undefined;
  return plans.map(({ run, jobs, ...plan }) => ({
    ...plan,
    limit: 240,
    ours: contender(ours, server, run, context.count(jobs.ours)),
    peers:
      theirs === undefined
        ? {}
        : {
            bullmq: contender(theirs.bullmq, server, run, context.count(jobs.bullmq)),
            ...('celery' in jobs ? { celery: contender(theirs.celery, server, run, context.count(jobs.celery)) } : {}),
          },
  }));
}

function contender(queue: Queue, server: RedisServer, run: Run, jobs: number) {
  const settings = { ...queue.settings, jobs };
  return {
    settings,
    run: async () => {
      await server.call('FLUSHALL');
      try {
        return await run({ queue, server, jobs, settings });
      } finally {
        // One that is left over from a run that failed would take the jobs of the next contender.
        await queue.stopWorker();
      }
    },
  };
}

// Slower contenders get fewer jobs, so that runs take about the same time; all figures are per second.
const plans = [
  {
    name: 'enqueue',
    unit: 'task/s',
    better: 'higher',
    note: 'each send awaited, 100 under way at a time (Celery: one after the other), no worker; afterwards a worker runs them, each once, and every result is checked',
    run: enqueue,
    jobs: { ours: 40_000, bullmq: 20_000, celery: 4_000 },
  },
  {
    name: 'enqueue-bulk',
    unit: 'task/s',
    better: 'higher',
    note: 'calls of 1,000 each, no worker; proved likewise',
    run: enqueueBulk,
    jobs: { ours: 60_000, bullmq: 20_000 },
  },
  {
    name: 'process',
    unit: 'task/s',
    better: 'higher',
    note: 'a full queue and a worker in its own process, no results kept; from the first job taken to the last one acknowledged; each runs once',
    run: process,
    jobs: { ours: 60_000, bullmq: 20_000, celery: 5_000 },
  },
  {
    name: 'process-with-results',
    unit: 'task/s',
    better: 'higher',
    note: 'the same with results kept, every one checked',
    run: processWithResults,
    jobs: { ours: 60_000, bullmq: 20_000, celery: 5_000 },
  },
  {
    name: 'end-to-end',
    unit: 'task/s',
    better: 'higher',
    note: 'an idle worker in its own process; each call awaited with its result, 100 under way at a time (Celery: all sent, then all results)',
    run: endToEnd,
    jobs: { ours: 10_000, bullmq: 5_000, celery: 2_000 },
  },
  {
    name: 'latency-idle-p50',
    unit: 'ms',
    better: 'lower',
    note: 'a connected client and an idle worker in its own process; from the call to its result, median of the calls, 10 ms apart',
    run: idleLatency,
    jobs: { ours: 200, bullmq: 200, celery: 200 },
  },
] as const;
