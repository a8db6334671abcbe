import type { WaitOptions } from '../base/deadline.ts';
import { Monitor } from './monitor.ts';
import type { Region } from './region.ts';
import { BODY, STATE } from './region.ts';

export const EVENT_BYTES = BODY;
const FLAG = STATE + 1;

/** A flag in shared memory that many may wait for. */
export abstract class SharedEvent {
  /** @internal */
  readonly region: Region;
  readonly #monitor: Monitor;

  protected constructor(region: Region) {
    this.region = region;
    this.#monitor = new Monitor(region, { what: 'an Event', inOrder: false });
  }

  isSet(): boolean {
    return Atomics.load(this.region.words, FLAG) === 1;
  }

  /** Sets the flag and wakes all who wait. */
  set(): void {
    this.#monitor.run(() => {
      Atomics.store(this.region.words, FLAG, 1);
      this.#monitor.changed();
    });
  }

  clear(): void {
    this.#monitor.run(() => Atomics.store(this.region.words, FLAG, 0));
  }

  /** Waits on the event loop until the flag is set. TimeoutError, CancelledError. */
  async wait(options?: WaitOptions): Promise<true> {
    return this.#monitor.wait(() => this.isSet() || undefined, options);
  }

  /** As `wait`, blocking this thread. */
  waitSync(options?: WaitOptions): true {
    return this.#monitor.waitSync(() => this.isSet() || undefined, options);
  }
}
