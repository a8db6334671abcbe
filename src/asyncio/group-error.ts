import { inspect } from 'node:util';
import { nameClass } from '../base/errors.ts';

/** All that failed in a task group: the errors, and in `paths`, index by index, the task each came from. */
export class TaskGroupError extends AggregateError {
  readonly paths: readonly string[];

  constructor(failures: readonly { readonly path: string; readonly error: unknown }[]) {
    const lines = failures.map(({ path, error }) => `  ${path}: ${messageOf(error)}`);
    const count = failures.length === 1 ? '1 sub-exception' : `${failures.length} sub-exceptions`;
    super(
      failures.map(({ error }) => error),
      [`unhandled errors in a TaskGroup (${count})`, ...lines].join('\n'),
    );
    this.paths = failures.map(({ path }) => path);
  }

  static {
    nameClass(this, 'TaskGroupError');
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : inspect(error);
}
