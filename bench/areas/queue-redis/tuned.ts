import type { BenchContext } from '../../harness.ts';
import type { Queue, QueueMaker } from './queue.ts';
import type { RedisServer } from './redis-server.ts';
import { processWithResults } from './runs.ts';

/** The contender with the best of its tunings, by a short run of `process-with-results` each. */
export async function tuned(
  maker: QueueMaker,
  server: RedisServer,
  context: BenchContext,
  jobs: number,
): Promise<Queue> {
  let best: { tuning: Readonly<Record<string, number>>; value: number } | undefined;
  if (context.quick) return maker.make(server, maker.tunings[0]!);
  for (const tuning of maker.tunings) {
    await using queue = await maker.make(server, tuning);
    const { value } = await processWithResults({ queue, server, jobs, settings: {} });
    if (best === undefined || value > best.value) best = { tuning, value };
    await server.call('FLUSHALL');
  }
  return maker.make(server, best!.tuning);
}
