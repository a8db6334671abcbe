import { onFreshStart } from '../base/fresh-start.ts';
import type { Kernel } from './kernel.ts';
import { defaultKernel } from './scope.ts';
import type { Task } from './task.ts';

/** The kernels of the runs that have not ended, and that of the program. */
export const liveKernels = new Set<Kernel>([defaultKernel]);
onFreshStart(() => {
  liveKernels.clear();
  liveKernels.add(defaultKernel);
});

/** Every task that is not done: name, age, what it waits for, each below the task that created it. */
export function formatTaskTree(kernels: Iterable<Kernel> = liveKernels): string {
  const lines = [...kernels].flatMap((kernel) => treeOf(kernel));
  return lines.length === 0 ? 'no tasks\n' : `${lines.join('\n')}\n`;
}

function treeOf(kernel: Kernel): string[] {
  const tasks = [...kernel.tasks] as Task<unknown>[];
  const alive = new Set(tasks);
  const children = new Map<Task<unknown> | undefined, Task<unknown>[]>();
  for (const task of tasks) {
    const above = nearestIn(alive, task.parent);
    const siblings = children.get(above);
    if (siblings === undefined) children.set(above, [task]);
    else siblings.push(task);
  }
  const draw = (task: Task<unknown>, indent: string, last: boolean, top: boolean): string[] => {
    const own = `${indent}${top ? '' : last ? '└─ ' : '├─ '}${describe(task)}`;
    const below = children.get(task) ?? [];
    const deeper = top ? '' : `${indent}${last ? '   ' : '│  '}`;
    return [own, ...below.flatMap((child, i) => draw(child, deeper, i === below.length - 1, false))];
  };
  return (children.get(undefined) ?? []).flatMap((task) => draw(task, '', true, true));
}

// A task may have been created in one of another loop.
function nearestIn(alive: ReadonlySet<Task<unknown>>, task: Task<unknown> | undefined): Task<unknown> | undefined {
  let above = task;
  while (above !== undefined && !alive.has(above)) above = above.parent;
  return above;
}

function describe(task: Task<unknown>): string {
  const cancelling = task.cancelling() > 0 ? ', cancelling' : '';
  return `${task.name} (${age(task.age)}${cancelling}) waits for ${task.waitsFor}`;
}

function age(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(3))} s`;
  if (seconds < 3600) return `${Number((seconds / 60).toFixed(1))} min`;
  return `${Number((seconds / 3600).toFixed(1))} h`;
}
