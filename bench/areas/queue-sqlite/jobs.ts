import { Simul } from '../../../src/entry/index.ts';

/** What our worker runs. The file is named by SIMUL_BROKER_URL. */
export const app = new Simul('bench');

app.task('bench.add', (x: number) => x + 1);
