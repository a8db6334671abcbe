import { loadBullmq, queueName } from './bullmq-peer.ts';

const [port, concurrency] = process.argv.slice(2).map(Number) as [number, number];
const { Worker } = await loadBullmq();
let runs = 0;
const run = async ({ data }: { data: { x: number } }) => {
  runs++;
  return data.x + 1;
};
const worker = new Worker(queueName, run, { connection: { host: '127.0.0.1', port }, concurrency });
await worker.waitUntilReady();
console.log('ready');
process.once('SIGTERM', () => void worker.close().then(() => console.log(`runs: ${runs}`)));
