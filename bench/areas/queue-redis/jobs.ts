import { Simul } from '../../../src/entry/index.ts';

/** What our worker runs; the Redis is named by SIMUL_BROKER_URL. It tells at its end how many runs it had. */
export const app = new Simul('bench');

let runs = 0;
app.task('bench.add', (x: number) => {
  runs++;
  return x + 1;
});
process.on('exit', () => console.log(`runs: ${runs}`));
