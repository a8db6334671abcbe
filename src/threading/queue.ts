import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { SharedJoinableQueue } from '../ipc/joinable-queue.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';
import type { QueueOptions } from '../ipc/queue.ts';
import type { Region } from '../ipc/region.ts';
import { ringBytes } from '../ipc/ring.ts';

const defaultCapacity = 1 << 20;

/**
 * First in, first out, between any threads of this process. `put` and `get` wait on the event loop, `putSync` and `getSync`
 * block the thread. Items are structured clones. (queue.Queue)
 *
 * @example
 * const jobs = new Queue<Job>(100);
 * new Thread(worker, [jobs]).start();
 * await jobs.put(job);
 * await jobs.join();
 */
export class Queue<T> extends SharedJoinableQueue<T> implements Shareable {
  /** `maxsize` of 0: bounded by the bytes of `capacity` only. */
  constructor(maxsize = 0, { capacity = defaultCapacity }: QueueOptions = {}, region?: Region) {
    super(region ?? new ThreadRegion(ringBytes(capacity)), region === undefined ? { capacity, maxsize } : undefined);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('threading.Queue', import.meta.url, this.region, to);
  }
}

onArrival('threading.Queue', (data: Passed) => new Queue(0, {}, received(data)));
