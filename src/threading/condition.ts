import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { CONDITION_BYTES, SharedCondition } from '../ipc/condition.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';
import type { Region } from '../ipc/region.ts';
import { Lock } from './lock.ts';
import { RLock } from './rlock.ts';

/**
 * Waiting, under a lock, for what the lock protects to change. Without a lock it makes an RLock. (threading.Condition)
 *
 * @example
 * const changed = new Condition();
 * await changed.acquire();
 * await changed.waitFor(() => stock.value > 0, { timeout: 5 });
 * changed.release();
 */
export class Condition extends SharedCondition implements Shareable {
  constructor(lock: Lock | RLock = new RLock(), region: Region = new ThreadRegion(CONDITION_BYTES)) {
    super(region, lock);
  }

  [shareable](to: Destination): PackedShareable {
    const lock = (this.lock as Lock | RLock)[shareable](to);
    const kind = this.lock instanceof RLock ? 'RLock' : 'Lock';
    return pass('threading.Condition', import.meta.url, this.region, to, { lock: lock.data, kind });
  }
}

interface PassedCondition extends Passed {
  readonly lock: Passed;
  readonly kind: 'Lock' | 'RLock';
}

onArrival('threading.Condition', (data: PassedCondition) => new Condition(lockOf(data), received(data)));

function lockOf({ lock, kind }: PassedCondition): Lock | RLock {
  return kind === 'RLock' ? new RLock({}, received(lock)) : new Lock({}, received(lock));
}
