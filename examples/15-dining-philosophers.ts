// Five philosophers, five forks: a deadlock seen by the lock report, then avoided by an order. Run: node dist/examples/15-dining-philosophers.js
import { isWorker, portable } from 'simul/callable';
import { Barrier, Lock, Thread, formatLockReport, lockReport } from 'simul/threading';

const count = 5;

// Each takes the fork on the left, and waits until all have done so: now nobody ever gets a second one.
export const dineBadly = portable(import.meta, 'dineBadly', (left: Lock, right: Lock, all: Barrier) => {
  left.acquireSync();
  all.waitSync();
  right.acquireSync();
});

// Whoever takes the lower-numbered fork first cannot be part of a circle.
export const dine = portable(import.meta, 'dine', (lower: Lock, higher: Lock, meals: number) => {
  for (let meal = 0; meal < meals; meal++) lower.runSync(() => higher.runSync(() => {}));
  return meals;
});

if (!isWorker()) await main();

async function main(): Promise<void> {
  const forks = Array.from({ length: count }, (_, i) => new Lock({ name: `fork ${i}` }));
  const all = new Barrier(count);
  const stuck = forks.map((fork, i) => new Thread(dineBadly, [fork, forks[(i + 1) % count]!, all]).start());
  while (lockReport().cycles.length === 0) await new Promise(setImmediate);
  console.log(formatLockReport(lockReport()));
  const ends = stuck.map((thread) => thread.join().catch((error: Error) => console.log(error.message)));
  for (const thread of stuck) await thread.terminate();
  await Promise.all(ends);

  // The terminated left their forks to whoever takes them next.
  const dining = forks.map((_, i) => {
    const [lower, higher] = [i, (i + 1) % count].sort((a, b) => a - b);
    return new Thread(dine, [forks[lower!]!, forks[higher!]!, 1000]).start();
  });
  let meals = 0;
  for (const thread of dining) meals += await thread.join();
  console.log(`${meals} meals, and nobody starved`);
}
