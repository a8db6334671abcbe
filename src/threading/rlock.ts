import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { LockOptions } from '../ipc/lock.ts';
import { LOCK_BYTES } from '../ipc/lock.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';
import type { Region } from '../ipc/region.ts';
import { SharedRLock } from '../ipc/rlock.ts';

/**
 * A Lock that its owner, a thread and within it a task, may take again; it is free after as many releases.
 * (threading.RLock)
 *
 * @example
 * const lock = new RLock();
 * await lock.run(() => lock.run(() => updateBalance()));
 */
export class RLock extends SharedRLock implements Shareable {
  constructor(options: LockOptions = {}, region: Region = new ThreadRegion(LOCK_BYTES)) {
    super(region, options);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('threading.RLock', import.meta.url, this.region, to, { name: this.name });
  }
}

onArrival('threading.RLock', (data: Passed & LockOptions) => new RLock(nameOf(data), received(data)));

function nameOf({ name }: LockOptions): LockOptions {
  return name === undefined ? {} : { name };
}
