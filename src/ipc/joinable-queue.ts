import type { WaitOptions } from '../base/deadline.ts';
import { Deadline, throwIfAborted } from '../base/deadline.ts';
import { InvalidStateError, TimeoutError } from '../base/errors.ts';
import { COUNT_MASK } from './pair.ts';
import type { StoreArguments } from './queue.ts';
import { SharedQueue } from './queue.ts';
import type { Region } from './region.ts';
import { ALL, LOOK_AGAIN } from './region.ts';
import { RING_SPARE } from './ring.ts';
import { Waits } from './waits.ts';

const DONE = RING_SPARE;

/** A queue that knows when everything taken from it has been dealt with. */
export abstract class SharedJoinableQueue<T> extends SharedQueue<T> {
  readonly #joins: Waits;

  protected constructor(region: Region, ...rest: StoreArguments) {
    super(region, ...rest);
    this.#joins = new Waits(region, { what: 'the items of a Queue to be done', inOrder: false });
  }

  /** Says that an item taken has been dealt with. InvalidStateError if called more often than items were put. */
  taskDone(): void {
    const { words } = this.region;
    const done = Atomics.load(words, DONE);
    if (this.#unfinished(done) === 0) throw new InvalidStateError('taskDone was called more often than items were put');
    if (Atomics.compareExchange(words, DONE, done, done + 1) !== done) return this.taskDone();
    if (this.#unfinished(done + 1) === 0) this.region.wake(DONE, ALL);
  }

  /** Waits on the event loop until `taskDone` has been called for every item put. TimeoutError, CancelledError. */
  async join(options?: WaitOptions): Promise<void> {
    await this.#joins.until(() => this.#unfinished() === 0 || undefined, options);
  }

  /** As `join`, blocking this thread. */
  joinSync({ timeout, signal }: WaitOptions = {}): void {
    throwIfAborted(signal);
    const deadline = Deadline.after(timeout);
    for (;;) {
      const done = Atomics.load(this.region.words, DONE);
      if (this.#unfinished(done) === 0) return;
      if (deadline.passed) throw new TimeoutError(`joining a Queue timed out after ${timeout} s`, { timeout });
      this.region.wait(DONE, done, Math.min(deadline.left, LOOK_AGAIN));
    }
  }

  #unfinished(done = Atomics.load(this.region.words, DONE)): number {
    return (this.ring.written - done) & COUNT_MASK;
  }
}
