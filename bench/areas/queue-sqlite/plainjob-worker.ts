import { openPlainjob, silent } from './plainjob.ts';

const { plainjob, database, queue } = await openPlainjob(process.argv[2]!);
const store = database.prepare('INSERT INTO results (job, value) VALUES (?, ?)');
const run = ({ id, data }: { id: number; data: string }) => {
  const { x } = JSON.parse(data) as { x: number };
  store.run(id, JSON.stringify(x + 1));
};
const worker = plainjob.defineWorker('add', run, { queue, pollIntervall: 1, logger: silent });
process.once('disconnect', () => void worker.stop());
process.send!('ready');
await worker.start();
queue.close();
