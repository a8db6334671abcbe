// Processes that go on until they are killed.
import type { Lock } from '../../src/multiprocessing/lock.ts';
import type { Queue } from '../../src/multiprocessing/queue.ts';
import type { Value } from '../../src/multiprocessing/value.ts';

export function lockForEver(first: Lock, second: Lock, progress: Value<'int32'>): void {
  for (;;) {
    first.acquireSync();
    second.acquireSync();
    Atomics.add(progress.view, 0, 1);
    first.release();
    second.release();
  }
}

export function putForEver(queue: Queue<readonly [string, number]>, name: string): void {
  for (let number = 0; ; number++) queue.putSync([name, number]);
}

export function takeForEver(queue: Queue<readonly [string, number]>, taken: Value<'int32'>): void {
  for (;;) {
    queue.getSync();
    Atomics.add(taken.view, 0, 1);
  }
}
