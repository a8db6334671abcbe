// One workload of one contender, in a process of its own: `node workloads.js WORKLOAD CONTENDER N` prints its report.
import { createTask, gather, Lock, Queue, run, Semaphore, sleep } from '../../../src/entry/asyncio.ts';
import { loadPeer } from '../../peers.ts';
import { median } from '../../statistics.ts';
import type { Report, Workload } from './child.ts';

/** Does `n` operations and gives how many it counted. */
type Round = (n: number) => Promise<number>;

interface MutexModule {
  Mutex: new () => { acquire(): Promise<() => void> };
  Semaphore: new (value: number) => { runExclusive<T>(fn: () => Promise<T>): Promise<T> };
}

const [workload, contender, count] = process.argv.slice(2) as [Workload, string, string];

const workloads: Record<Workload, Record<string, () => Round | Promise<Round>>> = {
  gather: { ours: () => gathered(async () => 1) },
  'gather-sleep': {
    ours: () =>
      gathered(async () => {
        await sleep(0);
        return 1;
      }),
  },
  lock: { ours: () => lock(), 'async-mutex': () => mutex(), 'bare-await': bareAwait },
  'lock-contended': {
    ours: () => contended(lock(new Lock(), turn)),
    'async-mutex': async () => contended(await mutex(turn)),
  },
  semaphore: { ours: semaphore, 'async-mutex': mutexSemaphore, 'p-limit': limit },
  'semaphore-in-task': { ours: semaphore, 'async-mutex': mutexSemaphore, 'p-limit': limit },
  queue: { ours: queue, 'p-limit': limitedJobs, 'p-queue': pQueue },
};

const round = await workloads[workload][contender]!();
const measured = (): Promise<Report> => measure(round, Number(count));
// In a task every promise carries its context, whoever made it, so all contenders of a workload are inside or none is.
const inTask: readonly Workload[] = ['gather', 'gather-sleep', 'lock', 'semaphore-in-task'];
console.log(JSON.stringify(inTask.includes(workload) ? await run(measured) : await measured()));

async function measure(round: Round, n: number): Promise<Report> {
  const rates: number[] = [];
  let done = 0;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    done = await round(n);
    rates.push((n / (performance.now() - start)) * 1000);
  }
  return { perSecond: median(rates), done };
}

function gathered(body: () => Promise<number>): Round {
  return async (n) => {
    const results = await gather(Array.from({ length: n }, () => createTask(body)));
    return results.reduce((sum, one) => sum + one, 0);
  };
}

function lock(shared = new Lock(), inside?: () => Promise<void>): Round {
  return async (n) => {
    let done = 0;
    for (; done < n; done++) {
      await shared.acquire();
      if (inside !== undefined) await inside();
      shared.release();
    }
    return done;
  };
}

async function mutex(inside?: () => Promise<void>): Promise<Round> {
  const { Mutex } = await loadPeer<MutexModule>('async-mutex');
  const shared = new Mutex();
  return async (n) => {
    let done = 0;
    for (; done < n; done++) {
      const release = await shared.acquire();
      if (inside !== undefined) await inside();
      release();
    }
    return done;
  };
}

function bareAwait(): Round {
  const resolved = Promise.resolve();
  return async (n) => {
    let done = 0;
    for (; done < n; done++) await resolved;
    return done;
  };
}

// Long enough under the lock for the others to come and wait.
async function turn(): Promise<void> {}

/** A hundred loops over one lock. */
function contended(loop: Round): Round {
  return async (n) => sum(await Promise.all(Array.from({ length: 100 }, () => loop(n / 100))));
}

function semaphore(): Round {
  const slots = new Semaphore(10);
  return hundredTimes((job) => slots.run(job));
}

async function mutexSemaphore(): Promise<Round> {
  const { Semaphore: Peer } = await loadPeer<MutexModule>('async-mutex');
  const slots = new Peer(10);
  return hundredTimes((job) => slots.runExclusive(job));
}

async function limit(): Promise<Round> {
  const limited = await tenAtATime();
  return hundredTimes((job) => limited(job));
}

async function limitedJobs(): Promise<Round> {
  const limited = await tenAtATime();
  return async (n) => sum(await Promise.all(Array.from({ length: n }, () => limited(async () => 1))));
}

async function tenAtATime() {
  type Limit = <T>(fn: () => Promise<T>) => Promise<T>;
  const { default: pLimit } = await loadPeer<{ default: (n: number) => Limit }>('p-limit');
  return pLimit(10);
}

function hundredTimes(under: (job: () => Promise<number>) => Promise<number>): Round {
  const loop = async (n: number): Promise<number> => {
    let done = 0;
    for (let i = 0; i < n; i++) done += await under(async () => 1);
    return done;
  };
  return async (n) => sum(await Promise.all(Array.from({ length: 100 }, () => loop(n / 100))));
}

function queue(): Round {
  return async (n) => {
    const jobs = new Queue<() => Promise<number>>();
    const worker = async (): Promise<number> => {
      let done = 0;
      for (;;) {
        const job = await jobs.get().catch(() => undefined);
        if (job === undefined) return done;
        done += await job();
      }
    };
    const workers = Array.from({ length: 10 }, () => worker());
    for (let i = 0; i < n; i++) jobs.putNowait(async () => 1);
    jobs.shutdown();
    return sum(await Promise.all(workers));
  };
}

async function pQueue(): Promise<Round> {
  const { default: PQueue } = await loadPeer<{
    default: new (options: object) => { add(job: () => Promise<void>): Promise<void>; onIdle(): Promise<void> };
  }>('p-queue');
  return async (n) => {
    const jobs = new PQueue({ concurrency: 10 });
    let done = 0;
    for (let i = 0; i < n; i++) {
      void jobs.add(async () => {
        done++;
      });
    }
    await jobs.onIdle();
    return done;
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
