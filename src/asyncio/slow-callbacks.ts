import { createHook } from 'node:async_hooks';
import type { Kernel } from './kernel.ts';
import { currentScope } from './scope.ts';

/**
 * Debug mode: reports code that kept the event loop from turning for longer than `slowCallbackDuration`, with the task
 * it ran in. Every callback and promise reaction is measured, which is why this is for debugging only. Real time is
 * meant even under a virtual clock, for it is the real loop that stands still.
 */
export function watchSlowCallbacks(kernel: Kernel): () => void {
  const starts: number[] = [];
  const hook = createHook({
    before: () => void starts.push(performance.now()),
    after: () => {
      const start = starts.pop();
      const scope = currentScope();
      if (start === undefined || scope?.kernel !== kernel) return;
      const took = (performance.now() - start) / 1000;
      if (took < kernel.slowCallbackDuration) return;
      const name = scope.task === undefined ? 'a callback' : `Task '${scope.task.name}'`;
      kernel.report({ message: `${name} kept the event loop busy for ${took.toFixed(3)} s`, future: scope.task });
    },
  });
  hook.enable();
  return () => void hook.disable();
}
