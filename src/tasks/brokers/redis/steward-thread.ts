import { parentPort, workerData } from 'node:worker_threads';
import { locateRedis } from '../../redis/location.ts';
import type { StewardAnswer, StewardRequest } from './steward-protocol.ts';
import { Stewardship } from './stewardship.ts';

// The program of the thread that keeps claims: one for each URL and process.
const port = parentPort!;
const stewardship = new Stewardship(locateRedis((workerData as { url: string }).url), {
  registered: (id) => answer({ registered: id }),
  failed: (error) => answer({ failed: error.message }),
});

async function serve(request: StewardRequest): Promise<void> {
  if ('add' in request) return stewardship.add(request.add);
  if ('remove' in request) {
    await stewardship.remove(request.remove);
    return answer({ removed: request.remove });
  }
  await stewardship.close();
  answer({ closed: true });
  port.close();
}

function answer(message: StewardAnswer): void {
  port.postMessage(message);
}

port.on('message', (request: StewardRequest) => void serve(request));
