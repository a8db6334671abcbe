import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { EVENT_BYTES, SharedEvent } from '../ipc/event.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';
import type { Region } from '../ipc/region.ts';

/**
 * A flag that any number of threads of this process may wait for. (threading.Event)
 *
 * @example
 * const ready = new Event();
 * await ready.wait({ timeout: 5 });
 */
export class Event extends SharedEvent implements Shareable {
  constructor(region: Region = new ThreadRegion(EVENT_BYTES)) {
    super(region);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('threading.Event', import.meta.url, this.region, to);
  }
}

onArrival('threading.Event', (data: Passed) => new Event(received(data)));
