import { ProcessHost } from '../../src/callable/process-host.ts';
import type { Host } from '../../src/callable/host.ts';
import { ThreadHost } from '../../src/callable/thread-host.ts';
import * as multiprocessing from '../../src/entry/multiprocessing.ts';
import * as threading from '../../src/entry/threading.ts';

/** What has the same names at both scopes, and where other parties run. */
export interface ScopeUnderTest {
  readonly name: 'threads' | 'processes';
  readonly Lock: typeof multiprocessing.Lock | typeof threading.Lock;
  readonly RLock: typeof multiprocessing.RLock | typeof threading.RLock;
  readonly Semaphore: typeof multiprocessing.Semaphore | typeof threading.Semaphore;
  readonly BoundedSemaphore: typeof multiprocessing.BoundedSemaphore | typeof threading.BoundedSemaphore;
  readonly Condition: typeof multiprocessing.Condition | typeof threading.Condition;
  readonly Event: typeof multiprocessing.Event | typeof threading.Event;
  readonly Barrier: typeof multiprocessing.Barrier | typeof threading.Barrier;
  readonly Queue: typeof multiprocessing.JoinableQueue | typeof threading.Queue;
  readonly LifoQueue: typeof multiprocessing.LifoQueue | typeof threading.LifoQueue;
  readonly PriorityQueue: typeof multiprocessing.PriorityQueue | typeof threading.PriorityQueue;
  readonly Pipe: typeof multiprocessing.Pipe | typeof threading.Pipe;
  host(): Host;
}

export const threads: ScopeUnderTest = { ...threading, name: 'threads', host: () => new ThreadHost() };

export const processes: ScopeUnderTest = {
  ...multiprocessing,
  Queue: multiprocessing.JoinableQueue,
  name: 'processes',
  host: () => new ProcessHost(),
};
