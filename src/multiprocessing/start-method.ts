import { InvalidArgumentError, UnsupportedError } from '../base/errors.ts';
import type { Host } from '../callable/host.ts';
import { ProcessHost } from '../callable/process-host.ts';
import { hasLibc } from '../os/libc.ts';
import type { ForkedChild } from './forked-child.ts';
import { forkChild } from './forkserver.ts';

/** How processes are made. */
export type StartMethod = 'spawn' | 'forkserver' | 'fork';

/** A process that has been started, with what only its maker can do. */
export interface ProcessLink {
  readonly host: Host;
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
  /** The call that runs the function has failed: it never began, or the process is gone. */
  failed(error: unknown): void;
}

const methods: readonly StartMethod[] = ['spawn', 'forkserver', 'fork'];
let method: StartMethod = 'spawn';

/** The start method of processes that name none. (multiprocessing.get_start_method) */
export function getStartMethod(): StartMethod {
  return method;
}

/**
 * Sets it. `spawn`: a new Node, everywhere. `forkserver`: forked from a template that has imported modules already, Linux.
 * InvalidArgumentError; UnsupportedError where it cannot work. (multiprocessing.set_start_method)
 */
export function setStartMethod(next: StartMethod): void {
  checkStartMethod(next);
  method = next;
}

/** @internal */
export function checkStartMethod(wanted: StartMethod): void {
  if (!methods.includes(wanted)) throw new InvalidArgumentError('method', wanted, methods.join(', '));
  refuseUnsupported(wanted);
}

/** Those that work here. (multiprocessing.get_all_start_methods) */
export function getAllStartMethods(): StartMethod[] {
  return methods.filter((one) => whyNot(one) === undefined);
}

/** @internal */
export function startHost(wanted: StartMethod, { daemon }: { daemon: boolean }): ProcessLink {
  refuseUnsupported(wanted);
  if (wanted === 'forkserver') return forkedLink(forkChild({ daemon }));
  const host = new ProcessHost({ daemon });
  return {
    host,
    pid: host.pid,
    kill: (signal) => {
      if (host.pid !== undefined) process.kill(host.pid, signal);
    },
    failed: () => void host.terminate(),
  };
}

function forkedLink(child: ForkedChild): ProcessLink {
  return {
    host: child.host,
    get pid() {
      return child.pid;
    },
    kill: (signal) => child.kill(signal),
    failed: () => void child.host.terminate(),
  };
}

function refuseUnsupported(wanted: StartMethod): void {
  const reason = whyNot(wanted);
  if (reason !== undefined) throw new UnsupportedError(reason);
}

function whyNot(wanted: StartMethod): string | undefined {
  if (wanted === 'spawn') return undefined;
  if (process.platform !== 'linux' || !hasLibc()) {
    return `start method "${wanted}" needs Linux and libc through the package "koffi": use "spawn"`;
  }
  if (wanted === 'forkserver') return undefined;
  // A child forked here would go on with all that this program has under way: its timers, servers and promises.
  return 'start method "fork" is not offered: the child would run this program’s pending timers, servers and promises too; use "forkserver", or os.fork()';
}
