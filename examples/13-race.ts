// Two processes count in one shared number: wrong without a lock, right with one. Run: node dist/examples/13-race.js
import { isWorker, portable } from 'simul/callable';
import { Barrier, Process, Value } from 'simul/multiprocessing';

const times = 200_000;
type Counter = Value<'int32'>;

// Reads, adds, writes: what the other wrote in between is lost.
export const withoutLock = portable(import.meta, 'withoutLock', (counter: Counter, start: Barrier) => {
  start.waitSync();
  for (let i = 0; i < times; i++) counter.value++;
});

export const withLock = portable(import.meta, 'withLock', (counter: Counter, start: Barrier) => {
  start.waitSync();
  for (let i = 0; i < times; i++) counter.updateSync((n) => n + 1);
});

if (!isWorker()) await main();

async function main(): Promise<void> {
  for (const [name, target] of [
    ['without a lock', withoutLock],
    ['with a lock', withLock],
  ] as const) {
    const counter = new Value('int32', 0);
    const start = new Barrier(2);
    const both = [1, 2].map(() => new Process(target, [counter, start]).start());
    for (const process of both) await process.join();
    const lost = 2 * times - counter.value;
    console.log(
      `${name}: ${counter.value} of ${2 * times}, ${lost} lost${lost > 0 ? ' (another number each time)' : ''}`,
    );
  }
}
