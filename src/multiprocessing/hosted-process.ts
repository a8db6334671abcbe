import { deferred } from '../base/deferred.ts';
import { messageOf } from '../base/error-text.ts';
import type { Host, HostExit } from '../callable/host.ts';
import { ProcessHost } from '../callable/process-host.ts';
import { describe } from '../callable/reference.ts';
import type { Reference } from '../callable/registry.ts';
import { forkChild } from './forkserver.ts';
import type { ProcessLink, ProcessTask } from './process-link.ts';
import { runProcess } from './run-process.ts';

interface Made {
  readonly host: Host;
  readonly pid: number | undefined;
  /** Whether its function can have begun. */
  readonly began: boolean;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Start methods "spawn" and "forkserver": a process that is sent its function. A child of the template that does not come
 * to life is replaced by a new Node, and the reason told once.
 */
export class HostedProcess implements ProcessLink {
  readonly #exited = deferred<Omit<HostExit, 'why'>>();
  readonly #reference: Reference;
  readonly #task: ProcessTask;
  readonly #daemon: boolean;
  #made: Made;
  #killed = false;

  constructor(method: 'spawn' | 'forkserver', task: ProcessTask, { daemon }: { readonly daemon: boolean }) {
    this.#reference = describe(task.target);
    this.#task = task;
    this.#daemon = daemon;
    this.#made = this.#begin(method);
  }

  get pid(): number | undefined {
    return this.#made.pid;
  }

  get exited(): Promise<Omit<HostExit, 'why'>> {
    return this.#exited.promise;
  }

  kill(signal: NodeJS.Signals): void {
    this.#killed = true;
    this.#made.kill(signal);
  }

  #begin(method: 'spawn' | 'forkserver'): Made {
    const daemon = this.#daemon;
    const made = method === 'spawn' ? spawned(new ProcessHost({ daemon })) : forkChild({ daemon });
    const { args, identity } = this.#task;
    const own = method === 'spawn' ? { ...identity, maker: process.pid } : identity;
    // However it ends, the exit says so.
    made.host
      .call(runProcess, [this.#reference, args, own])
      .then(() => made.host.close())
      .catch(() => made.host.terminate());
    void made.host.exited.then((exit) => {
      if (method === 'spawn' || made.began || this.#killed) return this.#exited.resolve(exit);
      warn(exit);
      this.#made = this.#begin('spawn');
    });
    return made;
  }
}

function spawned(host: ProcessHost): Made {
  const { pid } = host;
  const kill = (signal: NodeJS.Signals) => {
    if (pid !== undefined) process.kill(pid, signal);
  };
  return { host, pid, began: true, kill };
}

let warned = false;

function warn({ error, signal, code }: HostExit): void {
  if (warned) return;
  warned = true;
  const reason = error === undefined ? `it ended (${signal ?? code}) before it had begun` : messageOf(error);
  process.emitWarning(`a child of the forkserver is replaced by a spawned one: ${reason}`, {
    code: 'SIMUL_FORKSERVER',
  });
}
