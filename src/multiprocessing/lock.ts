import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { LockOptions } from '../ipc/lock.ts';
import { LOCK_BYTES, SharedLock } from '../ipc/lock.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ProcessRegion } from '../ipc/process-region.ts';
import type { Region } from '../ipc/region.ts';

/**
 * Mutual exclusion between processes. Not re-entrant. Pass it as an argument to any process or thread.
 * `acquire` waits on the event loop, `acquireSync` blocks the thread. If its holder dies, SIGKILL included, the kernel leaves it to the next waiter, which sees `recovered`.
 * Who waits is served about in order. (multiprocessing.Lock)
 *
 * @example
 * const lock = new Lock();
 * await lock.run(async () => updateBalance());
 */
export class Lock extends SharedLock implements Shareable {
  constructor(options: LockOptions = {}, region: Region = new ProcessRegion(LOCK_BYTES)) {
    super(region, options);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.Lock', import.meta.url, this.region, to, { name: this.name });
  }
}

onArrival('multiprocessing.Lock', (data: Passed & LockOptions) => new Lock(nameOf(data), received(data)));

function nameOf({ name }: LockOptions): LockOptions {
  return name === undefined ? {} : { name };
}
