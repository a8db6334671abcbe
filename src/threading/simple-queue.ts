import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';
import type { QueueOptions } from '../ipc/queue.ts';
import { SharedQueue } from '../ipc/queue.ts';
import type { Region } from '../ipc/region.ts';
import { ringBytes } from '../ipc/ring.ts';

const defaultCapacity = 1 << 20;

/**
 * A simple queue between any threads: bounded by bytes only. (queue.SimpleQueue)
 *
 * @example
 * const queue = new SimpleQueue<string>();
 * await queue.put('hello');
 */
export class SimpleQueue<T> extends SharedQueue<T> implements Shareable {
  constructor({ capacity = defaultCapacity }: QueueOptions = {}, region?: Region) {
    super(region ?? new ThreadRegion(ringBytes(capacity)), region === undefined ? { capacity, maxsize: 0 } : undefined);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('threading.SimpleQueue', import.meta.url, this.region, to);
  }
}

onArrival('threading.SimpleQueue', (data: Passed) => new SimpleQueue({}, received(data)));
