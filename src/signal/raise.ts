import { getpid, kill } from '../os/process-ids.ts';

/**
 * Sends a signal to this process. A handler runs later, in the event loop; an uncaught one has its effect at once.
 * SystemError EINVAL. raise(3).
 *
 * @example
 * raiseSignal('SIGTERM');
 */
export function raiseSignal(sig: number | NodeJS.Signals): void {
  kill(getpid(), sig);
}
