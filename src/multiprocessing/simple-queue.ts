import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ProcessRegion, whyNoSharedMemory } from '../ipc/process-region.ts';
import type { QueueOptions } from '../ipc/queue.ts';
import { SharedQueue } from '../ipc/queue.ts';
import type { Region } from '../ipc/region.ts';
import { ringBytes } from '../ipc/ring.ts';
import { SocketQueue } from './socket-queue.ts';

const defaultCapacity = 1 << 20;

/**
 * A simple queue between any processes and threads: bounded by bytes only. (multiprocessing.SimpleQueue)
 *
 * @example
 * const queue = new SimpleQueue<string>();
 * await queue.put('hello');
 */
export class SimpleQueue<T> extends SharedQueue<T> implements Shareable {
  constructor({ capacity = defaultCapacity }: QueueOptions = {}, region?: Region) {
    if (whyNoSharedMemory() !== undefined) return new SocketQueue<T>(0, { capacity }) as unknown as SimpleQueue<T>;
    super(
      region ?? new ProcessRegion(ringBytes(capacity)),
      region === undefined ? { capacity, maxsize: 0 } : undefined,
    );
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.SimpleQueue', import.meta.url, this.region, to);
  }
}

onArrival('multiprocessing.SimpleQueue', (data: Passed) => new SimpleQueue({}, received(data)));
