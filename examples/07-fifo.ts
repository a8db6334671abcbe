// Two programs that know nothing of each other but a path: a FIFO.
import { unlinkSync } from 'node:fs';
import { mkfifo, openFifo } from 'simul/os';
import { lines, Popen } from 'simul/subprocess';

const path = 'orders.fifo';
mkfifo(path, 0o600);
try {
  // Any other program could be the writer, in any language, started by anybody.
  const shop = new Popen(['sh', '-c', `for dish in soup fish cake; do echo "$dish"; done > ${path}`]);
  for await (const order of lines(await openFifo(path, 'r', { timeout: 10 }))) console.log('cooking', order);
  await shop.wait();

  const printer = new Popen(['cat', path]);
  const out = await openFifo(path, 'w', { timeout: 10 });
  out.end('the kitchen closes\n');
  await printer.wait();
} finally {
  unlinkSync(path);
}
