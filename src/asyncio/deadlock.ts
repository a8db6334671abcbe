import { BrokenError, nameClass } from '../base/errors.ts';
import { onFreshStart } from '../base/fresh-start.ts';
import type { Kernel } from './kernel.ts';
import type { Task } from './task.ts';
import { formatTaskTree } from './tree.ts';

/** Every task waits and nothing can wake any of them; `tree` shows what each waits for. */
export class DeadlockError extends BrokenError {
  readonly tree: string;

  constructor(tree: string) {
    super(`deadlock: nothing can wake any task any more\n${tree}`);
    this.tree = tree;
  }

  static {
    nameClass(this, 'DeadlockError');
  }
}

/**
 * Calls `found` when the run cannot go on: a virtual clock has come to rest while all its tasks wait for each other,
 * or Node has nothing left that could happen. Returns what ends the watch.
 */
export function watchForDeadlock(kernel: Kernel, found: (error: DeadlockError) => void): () => void {
  const report = () => found(new DeadlockError(formatTaskTree([kernel])));
  const stop = kernel.clock.onStall?.(() => {
    if (allWaitInside(kernel)) report();
  });
  const stay = atExhaustion(report);
  return () => {
    stop?.();
    stay();
  };
}

const exhausted = new Set<() => void>();
onFreshStart(() => exhausted.clear());
const tellAll = (): void => {
  for (const tell of exhausted) tell();
};

// One listener for all runs: Node takes more than ten for a leak.
function atExhaustion(tell: () => void): () => void {
  if (exhausted.size === 0) process.on('beforeExit', tellAll);
  exhausted.add(tell);
  return () => {
    exhausted.delete(tell);
    if (exhausted.size === 0) process.off('beforeExit', tellAll);
  };
}

// A task that waits for the outside may be woken by what no clock sees.
function allWaitInside(kernel: Kernel): boolean {
  const tasks = [...kernel.tasks] as Task<unknown>[];
  return tasks.every((task) => {
    const waits = task.scope.waits();
    return waits.length > 0 && waits.every((wait) => !wait.external);
  });
}
