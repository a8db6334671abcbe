import { Worker } from '../../worker/worker.ts';
import { app } from './tasks-app.ts';

let worker: Worker | undefined;

/** Starts the worker in this process, with a thread for each master. */
export async function startWorker(masters: number): Promise<void> {
  worker = new Worker(app, {
    pool: 'threads',
    concurrency: masters,
    module: new URL('./tasks-app.js', import.meta.url),
  });
  await worker.start();
}

export async function stopWorker(): Promise<void> {
  await worker?.stop();
  await app.close();
}
