// A task app, its worker and a client in one program. Usually the worker is a process of its own:
//   npx simul worker -A app.ts
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Simul, Worker } from 'simul';

// Without a URL the broker is ./.simul/simul.db; the example leaves nothing behind.
const directory = await mkdtemp(join(tmpdir(), 'simul-example-'));
const app = new Simul('shop', { broker: `sqlite://${join(directory, 'shop.db')}` });

const add = app.task('shop.add', (x: number, y: number) => x + y);

let outages = 2;
const charge = app.task('shop.charge', { bind: true, maxRetries: 5 }, (ctx, amount: number) => {
  if (outages-- > 0) ctx.retry({ countdown: 0.05, error: new Error('the bank does not answer') });
  return `charged ${amount} at try ${ctx.retries + 1}`;
});

const refuse = app.task('shop.refuse', () => {
  throw new RangeError('the card has expired');
});

const worker = new Worker(app, { logWrite: () => {} });
await worker.start();

const sum = await add.delay(2, 3);
console.log('2 + 3 =', await sum.get({ timeout: 10 })); // => 2 + 3 = 5

const charged = await charge.applyAsync([42], { priority: 9, expires: 60 });
console.log(await charged.get({ timeout: 10 })); // => charged 42 at try 3

const refused = await refuse.delay();
await refused.get({ timeout: 10 }).catch((error: Error) => console.log(error.name, error.message)); // => RangeError the card has expired
console.log(await refused.status()); // => FAILURE

const many = await add.applyMany(Array.from({ length: 1000 }, (_, n) => [n, n]));
const sums = await Promise.all(many.map((result) => result.get({ timeout: 10 })));
console.log(sums.reduce((total, value) => total + value)); // => 999000

await worker.stop();
await app.close();
await rm(directory, { recursive: true });
