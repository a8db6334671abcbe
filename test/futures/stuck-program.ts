// A pool with a thread in native code that blocks for longer than its grace: what it says, and that it goes on.
import { isWorker } from '../../src/callable/guard.ts';
import { portable } from '../../src/callable/portable.ts';
import { ThreadPoolExecutor } from '../../src/entry/futures.ts';
import { libc } from '../../src/os/libc.ts';

export const block = portable(import.meta, 'block', (milliseconds: number) =>
  libc('int poll(void *fds, unsigned long count, int milliseconds)')(null, 0, milliseconds),
);

if (!isWorker()) await main();

async function main(): Promise<void> {
  await using pool = new ThreadPoolExecutor({ maxWorkers: 1, grace: 0.05 });
  const stuck = new Promise<void>((resolve) => void process.once('warning', () => resolve()));
  // Once before, so that it is loaded when its time runs.
  await pool.submit(block, 0);
  const blocked = pool.submitWith({ timeout: 0.2 }, block, 4000);
  console.log(((await blocked.exception()) as Error).name);
  await stuck;
  console.log('stuck', await pool.submit(() => 'the pool goes on'));
}
