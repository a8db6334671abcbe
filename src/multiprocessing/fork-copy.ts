import { BrokenError } from '../base/errors.ts';
import type { HostExit } from '../callable/host.ts';
import { forkFresh } from '../os/fork-fresh.ts';
import { ExitWatch, pidfdOpen } from '../os/pidfd.ts';
import { reap, WNOHANG } from '../os/reap.ts';
import { disownChild } from '../os/wait.ts';
import { exitOf } from './exit-status.ts';

type Exit = Omit<HostExit, 'why'>;

/** What is told of a copy of this process. */
export interface CopyEvents {
  /** In the parent, right before the fork: what is opened here is inherited by this copy alone. */
  before?(): void;
  /** `watch`, for its end, keeps the program alive unless it is told not to. */
  forked(pid: number, watch: ExitWatch): void;
  /** It has ended, or could not be made. */
  exited(exit: Exit): void;
}

/** Has a copy of this process run `child` and nothing else, as soon as the program comes back to its event loop. */
export function forkCopy(child: () => void, events: CopyEvents): void {
  void forkFresh(child, () => events.before?.()).then(
    (pid) => {
      disownChild(pid);
      events.forked(pid, new ExitWatch(pidfdOpen(pid), () => events.exited(endOf(pid))));
    },
    (error: unknown) => events.exited(failure(error)),
  );
}

function endOf(pid: number): Exit {
  const status = reap(pid, WNOHANG);
  if (typeof status === 'number') return exitOf(status);
  return failure(new BrokenError(`somebody else has reaped process ${pid}`));
}

function failure(error: unknown): Exit {
  return { code: null, signal: null, error };
}
