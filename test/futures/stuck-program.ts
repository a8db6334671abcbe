// A pool with a thread in native code that blocks for longer than its grace: what it says, and that it goes on.
import { isWorker } from '../../src/callable/guard.ts';
import { portable } from '../../src/callable/portable.ts';
import { ThreadPoolExecutor } from '../../src/entry/futures.ts';
import { libc } from '../../src/os/libc.ts';
import { growing } from './jobs.ts';

export const block = portable(import.meta, 'block', (milliseconds: number) =>
  libc('int poll(void *fds, unsigned long count, int milliseconds)')(null, 0, milliseconds),
);

if (!isWorker()) await main();

async function main(): Promise<void> {
  await using pool = new ThreadPoolExecutor({ maxWorkers: 1, grace: 0.05 });
  const stuck = new Promise<void>((resolve) => void process.once('warning', () => resolve()));
  // Once before, so that it is loaded when its time runs.
  await pool.submit(block, 0);
  const item = pool.stream(growing, 4).next();
  const blocked = pool.submitWith({ timeout: 0.2 }, block, 4000);
  await Promise.resolve();
  // The stream has ended by then, and nothing of it was read here.
  while (!blocked.running()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  console.log(((await blocked.exception()) as Error).name);
  await stuck;
  console.log(await item.catch((error: Error) => error.message.replace(/\d+/, 'N')));
  console.log('stuck', await pool.submit(() => 'the pool goes on'));
}
