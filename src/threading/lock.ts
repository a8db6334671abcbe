import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { LockOptions } from '../ipc/lock.ts';
import { LOCK_BYTES, SharedLock } from '../ipc/lock.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';
import type { Region } from '../ipc/region.ts';

/**
 * Mutual exclusion between threads of this process. Not re-entrant. Pass it as an argument to any thread.
 * `acquire` waits on the event loop, `acquireSync` blocks the thread. A thread that ends while holding it leaves it to the next waiter, which sees `recovered`.
 * Who waits is served about in order. (threading.Lock)
 *
 * @example
 * const lock = new Lock();
 * await lock.run(async () => updateBalance());
 */
export class Lock extends SharedLock implements Shareable {
  constructor(options: LockOptions = {}, region: Region = new ThreadRegion(LOCK_BYTES)) {
    super(region, options);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('threading.Lock', import.meta.url, this.region, to, { name: this.name });
  }
}

onArrival('threading.Lock', (data: Passed & LockOptions) => new Lock(nameOf(data), received(data)));

function nameOf({ name }: LockOptions): LockOptions {
  return name === undefined ? {} : { name };
}
