import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { BarrierOptions } from '../ipc/barrier.ts';
import { BARRIER_BYTES, SharedBarrier } from '../ipc/barrier.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';
import type { Region } from '../ipc/region.ts';

/**
 * A point at which `parties` threads wait for each other; used again and again. InvalidArgumentError for fewer than 1.
 * (threading.Barrier)
 *
 * @example
 * const start = new Barrier(4);
 * if ((await start.wait()) === 0) console.log('all here');
 */
export class Barrier extends SharedBarrier implements Shareable {
  constructor(parties: number, options: BarrierOptions = {}, region?: Region) {
    super(region ?? new ThreadRegion(BARRIER_BYTES), region === undefined ? parties : undefined, options);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('threading.Barrier', import.meta.url, this.region, to);
  }
}

onArrival('threading.Barrier', (data: Passed) => new Barrier(1, {}, received(data)));
