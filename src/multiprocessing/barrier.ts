import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { BarrierOptions } from '../ipc/barrier.ts';
import { BARRIER_BYTES, SharedBarrier } from '../ipc/barrier.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ProcessRegion } from '../ipc/process-region.ts';
import type { Region } from '../ipc/region.ts';

/**
 * A point at which `parties` processes or threads wait for each other; used again and again. InvalidArgumentError for fewer than 1.
 * (multiprocessing.Barrier)
 *
 * @example
 * const start = new Barrier(4);
 * if ((await start.wait()) === 0) console.log('all here');
 */
export class Barrier extends SharedBarrier implements Shareable {
  constructor(parties: number, options: BarrierOptions = {}, region?: Region) {
    super(region ?? new ProcessRegion(BARRIER_BYTES), region === undefined ? parties : undefined, options);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.Barrier', import.meta.url, this.region, to);
  }
}

onArrival('multiprocessing.Barrier', (data: Passed) => new Barrier(1, {}, received(data)));
