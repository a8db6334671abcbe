import { CancelledError } from '../base/errors.ts';
import type { Scope } from './scope.ts';

/** Whether `error` means that work was cancelled: ours, or the AbortError of code that followed our signal. */
export function isCancellation(error: unknown, scope: Scope): boolean {
  if (error instanceof CancelledError) return true;
  return scope.root.cancelling > 0 && error instanceof Error && error.name === 'AbortError';
}
