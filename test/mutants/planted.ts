// Locks and queues with a bug each, for the model tests to find. Registered so that they cross to threads.
import type { Destination, PackedShareable } from '../../src/callable/shareable.ts';
import { onArrival, shareable } from '../../src/callable/shareable.ts';
import type { WaitOptions } from '../../src/base/deadline.ts';
import type { Passed } from '../../src/ipc/passing.ts';
import { pass, received } from '../../src/ipc/passing.ts';
import type { Region } from '../../src/ipc/region.ts';
import { ThreadRegion } from '../../src/ipc/thread-region.ts';
import { Lock } from '../../src/threading/lock.ts';
import { Queue } from '../../src/threading/queue.ts';
import { Semaphore } from '../../src/threading/semaphore.ts';

/** Every third time it is said to be taken, though another may have it. */
export class HandedOverTwice extends Lock {
  #times = 0;

  override acquireSync(options?: WaitOptions): true {
    return ++this.#times % 3 === 0 ? true : super.acquireSync(options);
  }

  override async acquire(options?: WaitOptions): Promise<true> {
    return ++this.#times % 3 === 0 ? true : super.acquire(options);
  }

  override release(): void {
    if (this.isHeldByThisThread) super.release();
  }

  override [shareable](to: Destination): PackedShareable {
    return pass('mutant.HandedOverTwice', import.meta.url, this.region, to);
  }
}

/** A release wakes nobody. */
class Deaf extends ThreadRegion {
  override wake(index: number, count: number): void {
    if (index !== 0) super.wake(index, count);
  }
}

export class LostWakeUp extends Lock {
  constructor(region: Region = new Deaf(1024)) {
    super({}, region);
  }

  override [shareable](to: Destination): PackedShareable {
    return pass('mutant.LostWakeUp', import.meta.url, this.region, to);
  }
}

/** Lets one more in than it has permits. */
export class OneTooMany extends Semaphore {
  #times = 0;

  override acquireSync(options?: WaitOptions): true {
    return ++this.#times % 3 === 0 ? true : super.acquireSync(options);
  }

  override [shareable](to: Destination): PackedShareable {
    return pass('mutant.OneTooMany', import.meta.url, this.region, to);
  }
}

/** Loses every 100th item. */
export class DroppedItem<T> extends Queue<T> {
  #times = 0;

  override putSync(item: T, options?: WaitOptions): void {
    if (++this.#times % 100 !== 0) super.putSync(item, options);
  }

  override [shareable](to: Destination): PackedShareable {
    return pass('mutant.DroppedItem', import.meta.url, this.region, to);
  }
}

/** Gives every 100th item twice. */
export class DoubledItem<T> extends Queue<T> {
  #times = 0;

  override putSync(item: T, options?: WaitOptions): void {
    super.putSync(item, options);
    if (++this.#times % 100 === 0) super.putSync(item, options);
  }

  override [shareable](to: Destination): PackedShareable {
    return pass('mutant.DoubledItem', import.meta.url, this.region, to);
  }
}

onArrival('mutant.HandedOverTwice', (data: Passed) => new HandedOverTwice({}, received(data)));
onArrival('mutant.LostWakeUp', (data: Passed & { region: { buffer: SharedArrayBuffer } }) => {
  return new LostWakeUp(new Deaf(data.region.buffer));
});
onArrival('mutant.OneTooMany', (data: Passed) => new OneTooMany(0, {}, received(data)));
onArrival('mutant.DroppedItem', (data: Passed) => new DroppedItem(0, {}, received(data)));
onArrival('mutant.DoubledItem', (data: Passed) => new DoubledItem(0, {}, received(data)));
