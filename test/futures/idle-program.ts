// Pools that nobody shuts down: with nothing to do they neither keep the program alive nor use the CPU.
import { isWorker } from '../../src/callable/guard.ts';
import { toThread } from '../../src/entry/asyncio.ts';
import { ProcessPoolExecutor, ThreadPoolExecutor } from '../../src/entry/futures.ts';

if (!isWorker()) await main();

async function main(): Promise<void> {
  const pools = [
    new ThreadPoolExecutor({ maxWorkers: 2 }),
    new ProcessPoolExecutor({ maxWorkers: 2, startMethod: 'spawn' }),
    new ProcessPoolExecutor({ maxWorkers: 2, startMethod: 'forkserver' }),
  ];
  const usage = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const pids: number[] = [];
  for (const pool of pools) {
    await Promise.all(Array.from({ length: 1000 }, () => pool.submit(() => 1)));
    if (pool instanceof ProcessPoolExecutor) pids.push(await pool.submit(() => process.pid));
  }
  await toThread(() => 1);
  const settle = () => new Promise((resolve) => setTimeout(resolve, 400));
  await settle();
  const before = usage();
  await settle();
  console.log(JSON.stringify({ idle: usage() - before, pids }));
}
