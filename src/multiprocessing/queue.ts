import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { SharedJoinableQueue } from '../ipc/joinable-queue.ts';
import { SharedQueue } from '../ipc/queue.ts';
import type { Passed } from '../ipc/passing.ts';
import { pass, received } from '../ipc/passing.ts';
import { ProcessRegion, whyNoSharedMemory } from '../ipc/process-region.ts';
import type { QueueOptions } from '../ipc/queue.ts';
import type { Region } from '../ipc/region.ts';
import { ringBytes } from '../ipc/ring.ts';
import { SocketQueue } from './socket-queue.ts';

const defaultCapacity = 1 << 20;

/**
 * First in, first out, between any processes and threads: a ring in shared memory with back-pressure. Whoever is killed in
 * the middle leaves it whole; a taker loses at most the item it was taking, and `deaths` says so. Items are structured
 * clones, and shared objects may be among them. (multiprocessing.Queue)
 *
 * @example
 * const results = new Queue<Result>();
 * new Process(work, [results]).start();
 * const first = await results.get({ timeout: 10 });
 */
export class Queue<T> extends SharedQueue<T> implements Shareable {
  /** `maxsize` of 0: bounded by the bytes of `capacity` only. */
  constructor(maxsize = 0, { capacity = defaultCapacity }: QueueOptions = {}, region?: Region) {
    if (whyNoSharedMemory() !== undefined) return new SocketQueue<T>(maxsize, { capacity }) as unknown as Queue<T>;
    super(region ?? new ProcessRegion(ringBytes(capacity)), region === undefined ? { capacity, maxsize } : undefined);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.Queue', import.meta.url, this.region, to);
  }
}

onArrival('multiprocessing.Queue', (data: Passed) => new Queue(0, {}, received(data)));

/**
 * A Queue with `taskDone` and `join`. (multiprocessing.JoinableQueue)
 *
 * @example
 * const jobs = new JoinableQueue<Job>();
 * await jobs.join();
 */
export class JoinableQueue<T> extends SharedJoinableQueue<T> implements Shareable {
  /** `maxsize` of 0: bounded by the bytes of `capacity` only. */
  constructor(maxsize = 0, { capacity = defaultCapacity }: QueueOptions = {}, region?: Region) {
    if (whyNoSharedMemory() !== undefined)
      return new SocketQueue<T>(maxsize, { capacity }) as unknown as JoinableQueue<T>;
    super(region ?? new ProcessRegion(ringBytes(capacity)), region === undefined ? { capacity, maxsize } : undefined);
  }

  [shareable](to: Destination): PackedShareable {
    return pass('multiprocessing.JoinableQueue', import.meta.url, this.region, to);
  }
}

onArrival('multiprocessing.JoinableQueue', (data: Passed) => new JoinableQueue(0, {}, received(data)));
