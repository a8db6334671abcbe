import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { EVENT_BYTES, SharedEvent } from '../ipc/event.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ProcessRegion } from '../ipc/process-region.ts';
import type { Region } from '../ipc/region.ts';

/**
 * A flag that any number of processes may wait for. (multiprocessing.Event)
 *
 * @example
 * const ready = new Event();
 * await ready.wait({ timeout: 5 });
 */
export class Event extends SharedEvent implements Shareable {
  constructor(region: Region = new ProcessRegion(EVENT_BYTES)) {
    super(region);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.Event', import.meta.url, this.region, to);
  }
}

onArrival('multiprocessing.Event', (data: Passed) => new Event(received(data)));
