import { deferred } from '../base/deferred.ts';
import { messageOf } from '../base/error-text.ts';
import type { HostExit } from '../callable/host.ts';
import { describe } from '../callable/reference.ts';
import type { Reference } from '../callable/registry.ts';
import type { ProcessLink, ProcessTask } from './process-link.ts';
import { runProcess } from './run-process.ts';
import type { StartedHost } from './start-host.ts';
import { startHost } from './start-host.ts';

/**
 * Start methods "spawn" and "forkserver": a process that is sent its function. A child of the template that does not come
 * to life is replaced by a new Node, and the reason told once.
 */
export class HostedProcess implements ProcessLink {
  readonly #exited = deferred<Omit<HostExit, 'why'>>();
  readonly #reference: Reference;
  readonly #task: ProcessTask;
  readonly #daemon: boolean;
  #made: StartedHost;
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

  #begin(method: 'spawn' | 'forkserver'): StartedHost {
    const made = startHost(method, { daemon: this.#daemon });
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

let warned = false;

function warn({ error, signal, code }: HostExit): void {
  if (warned) return;
  warned = true;
  const reason = error === undefined ? `it ended (${signal ?? code}) before it had begun` : messageOf(error);
  process.emitWarning(`a child of the forkserver is replaced by a spawned one: ${reason}`, {
    code: 'SIMUL_FORKSERVER',
  });
}
