import { inspect } from 'node:util';
import { InvalidArgumentError } from '../base/errors.ts';
import type { ThreadInfo } from './current.ts';

/** What a thread failed of, for a hook. */
export interface ExceptHookArgs {
  readonly error: unknown;
  readonly thread: ThreadInfo;
}

type ExceptHook = (args: ExceptHookArgs) => void;

let hook: ExceptHook = report;

/**
 * Called when a thread's function throws and nobody has joined it. (threading.excepthook)
 *
 * @example
 * excepthook({ error, thread: currentThread() });
 */
export function excepthook(args: ExceptHookArgs): void {
  hook(args);
}

/**
 * Replaces what is done about threads that fail, by default a report on standard error; gives the one before.
 *
 * @example
 * setExcepthook(({ error, thread }) => logger.error(error, thread.name));
 */
export function setExcepthook(next: ExceptHook): ExceptHook {
  if (typeof next !== 'function') throw new InvalidArgumentError('hook', next, 'a function');
  const previous = hook;
  hook = next;
  return previous;
}

function report({ error, thread }: ExceptHookArgs): void {
  process.stderr.write(`Exception in thread ${thread.name}:\n${inspect(error)}\n`);
}
