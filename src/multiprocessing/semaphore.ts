import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { SemaphoreOptions } from '../ipc/semaphore.ts';
import { SEMAPHORE_BYTES, SharedSemaphore } from '../ipc/semaphore.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ProcessRegion } from '../ipc/process-region.ts';
import type { Region } from '../ipc/region.ts';

/**
 * A number of permits. Those of a process that died are given back, unless `reclaim` is false: choose that where one side
 * releases what the other acquires. InvalidArgumentError for a value below 0. (multiprocessing.Semaphore)
 *
 * @example
 * const connections = new Semaphore(10);
 * await connections.run(() => query());
 */
export class Semaphore extends SharedSemaphore implements Shareable {
  constructor(value = 1, options: SemaphoreOptions = {}, region?: Region) {
    super(
      region ?? new ProcessRegion(SEMAPHORE_BYTES),
      region === undefined ? { value, bounded: false, ...options } : undefined,
    );
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.Semaphore', import.meta.url, this.region, to);
  }
}

/**
 * A Semaphore that refuses to be released more often than acquired. (multiprocessing.BoundedSemaphore)
 *
 * @example
 * const seats = new BoundedSemaphore(4);
 */
export class BoundedSemaphore extends SharedSemaphore implements Shareable {
  constructor(value = 1, options: SemaphoreOptions = {}, region?: Region) {
    super(
      region ?? new ProcessRegion(SEMAPHORE_BYTES),
      region === undefined ? { value, bounded: true, ...options } : undefined,
    );
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.BoundedSemaphore', import.meta.url, this.region, to);
  }
}

onArrival('multiprocessing.Semaphore', (data: Passed) => new Semaphore(0, {}, received(data)));
onArrival('multiprocessing.BoundedSemaphore', (data: Passed) => new BoundedSemaphore(0, {}, received(data)));
