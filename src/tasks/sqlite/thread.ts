import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Engine } from './engine.ts';
import { toFailure } from './failure.ts';
import type { CallMessage, ThreadData } from './protocol.ts';

// The program of SQLite's own thread: one for each database file and process.
const data = workerData as ThreadData;
const port = parentPort!;

function start(): void {
  let engine: Engine;
  try {
    engine = new Engine(data, (answers) => port.postMessage(answers));
  } catch (error) {
    port.postMessage({ failure: toFailure(error) });
    return;
  }
  port.on('message', (calls: CallMessage[]) => serve(engine, calls));
  port.postMessage({ library: engine.library });
}

function serve(engine: Engine, calls: CallMessage[]): void {
  // What has queued up while the last transaction was being written goes into this one.
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    for (const call of next.message as CallMessage[]) calls.push(call);
  }
  const close = calls.find((call) => call[1] === 'close');
  engine.handle(calls);
  if (close === undefined) return;
  try {
    engine.close();
    port.postMessage([[close[0], undefined]]);
  } catch (error) {
    port.postMessage([[close[0], undefined, toFailure(error)]]);
  } finally {
    port.close();
    released();
  }
}

function released(): void {
  Atomics.store(data.closed, 0, 1);
  Atomics.notify(data.closed, 0);
}

// Also when it ends by an error.
process.once('exit', released);

start();
