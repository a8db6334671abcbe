import { InvalidArgumentError } from '../base/errors.ts';
import { SharedJoinableQueue } from './joinable-queue.ts';
import { OrderedStore } from './ordered-store.ts';
import type { QueueStart } from './queue.ts';
import type { Region } from './region.ts';

/** A queue from which the last item put leaves first. */
export abstract class SharedLifoQueue<T> extends SharedJoinableQueue<T> {
  protected constructor(region: Region, start?: QueueStart) {
    super(region, start, (at, begin) => new OrderedStore(at, begin && { ...begin, lifo: true }));
  }
}

/** An item of a priority queue: a number, or a number and what it ranks. */
export type Ranked = number | readonly [rank: number, ...rest: unknown[]];

/** A queue from which the item of the least rank leaves first; equal ones in the order in which they were put. */
export abstract class SharedPriorityQueue<T extends Ranked> extends SharedJoinableQueue<T> {
  protected constructor(region: Region, start?: QueueStart) {
    super(region, start, (at, begin) => new OrderedStore(at, begin && { ...begin, lifo: false }));
  }

  protected override rankOf(item: T): number {
    const rank: unknown = typeof item === 'number' ? item : Array.isArray(item) ? item[0] : undefined;
    if (typeof rank === 'number' && !Number.isNaN(rank)) return rank;
    throw new InvalidArgumentError('item', item, 'a number, or an array whose first element is one');
  }
}
