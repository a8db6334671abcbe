import type { Kernel, Unawaited } from './kernel.ts';
import type { TaskEntry } from './registry.ts';

/**
 * Debug mode: remembers that a task ended well before anybody looked at it. If nobody does until it is collected, or until
 * the end of its loop, that is reported. The task itself is not held, or a program that starts many would fill its memory.
 */
export function watchUnawaited(kernel: Kernel, task: TaskEntry): void {
  const unawaited = { name: task.name };
  records.set(task, unawaited);
  kernel.unawaited.add(unawaited);
  collected.register(task, { kernel, unawaited }, unawaited);
}

/** Somebody looked. */
export function forgetUnawaited(kernel: Kernel, task: TaskEntry): void {
  const unawaited = records.get(task);
  if (unawaited === undefined) return;
  kernel.unawaited.delete(unawaited);
  collected.unregister(unawaited);
}

/** The end of a loop: nobody will look any more. */
export function reportUnawaited(kernel: Kernel): void {
  for (const unawaited of kernel.unawaited) report(kernel, unawaited);
}

const records = new WeakMap<TaskEntry, Unawaited>();

const collected = new FinalizationRegistry<{ kernel: Kernel; unawaited: Unawaited }>(({ kernel, unawaited }) =>
  report(kernel, unawaited),
);

function report(kernel: Kernel, unawaited: Unawaited): void {
  if (!kernel.unawaited.delete(unawaited)) return;
  collected.unregister(unawaited);
  kernel.report({ message: `Task '${unawaited.name}' was never awaited` });
}
