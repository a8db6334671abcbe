// Primes counted on all CPUs: chunks of numbers go out, counts come back. Run: node dist/examples/20-cpu-map.js
import { availableParallelism } from 'node:os';
import { isWorker, portable } from 'simul/callable';
import { Pool } from 'simul/futures';

export const isPrime = portable(import.meta, 'isPrime', (n: number): boolean => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
});

// A worker imports this file too: it must not run the program.
if (!isWorker()) await main();

async function main(): Promise<void> {
  const numbers = Array.from({ length: 100_000 }, (_, n) => n);
  await using pool = new Pool(availableParallelism());
  const flags = await pool.map(isPrime, numbers, { chunksize: 2000 });
  console.log('primes below 100,000:', flags.filter(Boolean).length);

  // Results as they come, of an endless source: only what is needed is computed.
  const squares: number[] = [];
  for await (const square of pool.imap((n: number) => n * n, naturals())) {
    if (squares.push(square) === 5) break;
  }
  console.log('squares:', squares.join(' '));
}

function* naturals(): Generator<number> {
  for (let n = 1; ; n++) yield n;
}
