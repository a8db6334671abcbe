import type { Scope } from './scope.ts';
import { currentKernel, currentScope, runIn } from './scope.ts';
import { Task } from './task.ts';

/** Runs the body of a scope; settles as it does, or with CancelledError once the scope is given up. */
export function runBody<T>(scope: Scope, fn: () => T | PromiseLike<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    scope.onDetach = reject;
    runIn(scope, async () => fn()).then(resolve, reject);
  });
}

/** Scopes belong to tasks: outside of one, `fn` becomes a task of its own. */
export function inTask<T>(name: string, fn: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = currentScope();
  if (scope?.task !== undefined) return fn(scope);
  return new Task(() => fn(currentScope()!), currentKernel(), name).then();
}
