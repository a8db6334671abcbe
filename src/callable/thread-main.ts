// What a ThreadHost's thread runs.
import { parentPort } from 'node:worker_threads';
import type { Request } from './protocol.ts';
import { serve } from './serve.ts';

const port = parentPort!;
// The module's own handles must not keep a closed thread, so it exits instead of running out of work.
const handle = serve(
  (batch, moved) => port.postMessage(batch, moved),
  () => process.exit(0),
  'thread',
);
port.on('message', (batch: readonly Request[]) => handle(batch));
port.on('messageerror', (error) => {
  throw error;
});
