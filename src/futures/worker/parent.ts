import { hasLibc, libc } from '../../os/libc.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/**
 * Has the kernel end this process with its parent: one that computes never hears that its channel has closed. `parent` is
 * the engine's process; undefined if this is the child of a template, which ends with the engine's process itself.
 */
export function endWithParent(parent: number | undefined): void {
  if (process.platform !== 'linux' || !hasLibc()) return;
  libc('int prctl(int option, unsigned long value)')(PR_SET_PDEATHSIG, SIGKILL);
  // It may have gone before the kernel was told.
  if (parent !== undefined && process.ppid !== parent) process.exit(1);
}
