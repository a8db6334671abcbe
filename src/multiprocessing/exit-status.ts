import { constants } from 'node:os';
import type { HostExit } from '../callable/host.ts';
import { waitstatusToExitcode } from '../os/wait-status.ts';

/** How a process ended, from what waitpid says. */
export function exitOf(status: number): Omit<HostExit, 'why'> {
  const code = waitstatusToExitcode(status);
  if (code >= 0) return { code, signal: null };
  const name = Object.entries(constants.signals).find(([, number]) => number === -code)?.[0];
  return { code: null, signal: (name ?? 'SIGKILL') as NodeJS.Signals };
}
