import type { Host } from '../callable/host.ts';
import { ProcessHost } from '../callable/process-host.ts';
import { forkHost } from './forked-host.ts';
import { forkChild } from './forkserver.ts';
import type { StartMethod } from './start-method.ts';
import { refuseUnsupported } from './start-method.ts';

/** A process that takes calls. */
export interface StartedHost {
  readonly host: Host;
  /** Undefined until there is one. */
  readonly pid: number | undefined;
  /** Whether a function can have begun in it. */
  readonly began: boolean;
  kill(signal: NodeJS.Signals): void;
}

interface StartOptions {
  readonly daemon: boolean;
  /** What a copy of this process waits for, to have it as well. */
  readonly after?: Promise<unknown> | undefined;
}

/**
 * Starts a process that is sent its functions; with "fork" it has all modules of this one, and its memory as it was.
 * Throws UnsupportedError where the method cannot work.
 */
export function startHost(method: StartMethod, { daemon, after }: StartOptions): StartedHost {
  refuseUnsupported(method);
  if (method === 'spawn') return spawned(new ProcessHost({ daemon }));
  return method === 'fork' ? forkHost({ daemon, after }) : forkChild({ daemon });
}

function spawned(host: ProcessHost): StartedHost {
  const { pid } = host;
  const kill = (signal: NodeJS.Signals) => {
    if (pid !== undefined) process.kill(pid, signal);
  };
  return { host, pid, began: true, kill };
}
