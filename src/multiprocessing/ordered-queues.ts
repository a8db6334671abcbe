import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { Ranked } from '../ipc/ordered-queue.ts';
import { SharedLifoQueue, SharedPriorityQueue } from '../ipc/ordered-queue.ts';
import { orderedBytes } from '../ipc/ordered-store.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ProcessRegion } from '../ipc/process-region.ts';
import type { QueueOptions } from '../ipc/queue.ts';
import type { Region } from '../ipc/region.ts';

const defaultCapacity = 1 << 18;

/**
 * A Queue between processes and threads from which the last item put is got first. (queue.LifoQueue)
 *
 * @example
 * const stack = new LifoQueue<string>();
 */
export class LifoQueue<T> extends SharedLifoQueue<T> implements Shareable {
  /** `maxsize` of 0: bounded by the bytes of `capacity` only. */
  constructor(maxsize = 0, { capacity = defaultCapacity }: QueueOptions = {}, region?: Region) {
    super(
      region ?? new ProcessRegion(orderedBytes(capacity)),
      region === undefined ? { capacity, maxsize } : undefined,
    );
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.LifoQueue', import.meta.url, this.region, to);
  }
}

onArrival('multiprocessing.LifoQueue', (data: Passed) => new LifoQueue(0, {}, received(data)));

/**
 * A Queue between processes and threads from which the least item is got first: numbers, or arrays that begin with their rank. Meant for up
 * to thousands of items. (queue.PriorityQueue)
 *
 * @example
 * const jobs = new PriorityQueue<[number, string]>();
 * await jobs.put([1, 'urgent']);
 */
export class PriorityQueue<T extends Ranked> extends SharedPriorityQueue<T> implements Shareable {
  /** `maxsize` of 0: bounded by the bytes of `capacity` only. */
  constructor(maxsize = 0, { capacity = defaultCapacity }: QueueOptions = {}, region?: Region) {
    super(
      region ?? new ProcessRegion(orderedBytes(capacity)),
      region === undefined ? { capacity, maxsize } : undefined,
    );
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.PriorityQueue', import.meta.url, this.region, to);
  }
}

onArrival('multiprocessing.PriorityQueue', (data: Passed) => new PriorityQueue(0, {}, received(data)));
