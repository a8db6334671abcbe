// A matrix product whose rows are computed by four processes in shared memory. Run: node dist/examples/16-shared-matrix.js
import { isWorker, portable } from 'simul/callable';
import { Process, RawArray } from 'simul/multiprocessing';

type Matrix = RawArray<'float64'>;
const n = 200;
const parts = 4;

export const multiplyRows = portable(
  import.meta,
  'multiplyRows',
  (a: Matrix, b: Matrix, product: Matrix, from: number, to: number) => {
    // Nobody else writes these rows: no lock is needed. `view` is the typed array itself.
    for (let i = from; i < to; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += a.view[i * n + k]! * b.view[k * n + j]!;
        product.view[i * n + j] = sum;
      }
    }
  },
);

if (!isWorker()) await main();

async function main(): Promise<void> {
  const matrix = (fill: (i: number, j: number) => number) => {
    return new RawArray(
      'float64',
      Array.from({ length: n * n }, (_, at) => fill(Math.floor(at / n), at % n)),
    );
  };
  const a = matrix((i, j) => i + j);
  const identity = matrix((i, j) => (i === j ? 1 : 0));
  const product = new RawArray('float64', n * n);
  const rows = n / parts;
  const processes = Array.from({ length: parts }, (_, part) => {
    return new Process(multiplyRows, [a, identity, product, part * rows, (part + 1) * rows]).start();
  });
  for (const process of processes) await process.join();
  console.log(`a * 1 = a: ${[...product].every((value, at) => value === a.get(at))}`);
}
