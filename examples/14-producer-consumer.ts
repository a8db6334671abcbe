// Two producers, three consumers, a bounded queue between them: threads, then processes. Run: node dist/examples/14-producer-consumer.js
import { isWorker, portable } from 'simul/callable';
import * as multiprocessing from 'simul/multiprocessing';
import * as threading from 'simul/threading';

type Jobs = threading.Queue<number> | multiprocessing.JoinableQueue<number>;
type Sum = multiprocessing.Value<'int32'>;

export const produce = portable(import.meta, 'produce', async (jobs: Jobs, first: number, count: number) => {
  // Waits whenever ten jobs lie there already: the consumers set the pace.
  for (let job = first; job < first + count; job++) await jobs.put(job);
});

export const consume = portable(import.meta, 'consume', async (jobs: Jobs, sum: Sum) => {
  for await (const job of jobs) {
    sum.updateSync((n) => n + job);
    jobs.taskDone();
  }
});

if (!isWorker()) await main();

async function main(): Promise<void> {
  const threads = await run(new threading.Queue<number>(10), (target, args) => new threading.Thread(target, args));
  const processes = await run(new multiprocessing.JoinableQueue<number>(10), (target, args) => {
    return new multiprocessing.Process(target, args);
  });
  console.log(`threads: ${threads}, processes: ${processes}, expected: ${(2000 * 1999) / 2}`);
}

interface Party {
  start(): { join(): Promise<unknown> };
}

async function run(jobs: Jobs, make: (target: typeof produce | typeof consume, args: never) => Party): Promise<number> {
  const sum = new multiprocessing.Value('int32', 0);
  const consumers = [1, 2, 3].map(() => make(consume, [jobs, sum] as never).start());
  const producers = [0, 1000].map((first) => make(produce, [jobs, first, 1000] as never).start());
  for (const producer of producers) await producer.join();
  await jobs.join();
  jobs.shutdown(); // the consumers' loops end
  for (const consumer of consumers) await consumer.join();
  return sum.value;
}
