import { isCancellation } from './cancellation.ts';
import type { Scope } from './scope.ts';
import { currentKernel, currentScope, runIn } from './scope.ts';
import { Task } from './task.ts';

/** Runs the body of a scope; settles as it does, or with CancelledError once the scope is given up. */
export function runBody<T>(scope: Scope, fn: () => T | PromiseLike<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let detached = false;
    scope.onDetach = (error) => {
      detached = true;
      reject(error);
    };
    const failed = (error: unknown): void => {
      if (detached && !isCancellation(error, scope)) reportLate(scope, error);
      reject(error);
    };
    runIn(scope, async () => fn()).then(resolve, failed);
  });
}

/** Scopes belong to tasks: outside of one, `fn` becomes a task of its own. */
export function inTask<T>(name: string, fn: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = currentScope();
  if (scope?.task !== undefined) return fn(scope);
  return new Task(() => fn(currentScope()!), currentKernel(), name).then();
}

// Whoever waited for the body has been told that it was given up.
function reportLate(scope: Scope, exception: unknown): void {
  const message = `the body of a timeout or task group in '${scope.task?.name}' failed after it was detached`;
  scope.kernel.report({ message, exception, future: scope.task });
}
