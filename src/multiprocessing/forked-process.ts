import { deferred } from '../base/deferred.ts';
import { UnsupportedError } from '../base/errors.ts';
import type { HostExit } from '../callable/host.ts';
import { whyNoFork } from '../os/fork.ts';
import { ExitWatch, pidfdOpen } from '../os/pidfd.ts';
import { becomeForked } from './current.ts';
import { forkCopy } from './fork-copy.ts';
import type { ProcessLink, ProcessTask } from './process-link.ts';
import { runTarget, tieToParent } from './run-process.ts';

/**
 * Start method "fork": a copy of this process, made when it next comes back to its event loop, in which the target runs and
 * nothing else. UnsupportedError at once where this process cannot fork.
 */
export function startForked(task: ProcessTask, { daemon }: { readonly daemon: boolean }): ProcessLink {
  const reason = whyNoFork();
  if (reason !== undefined) throw new UnsupportedError(reason);
  const link = new ForkedProcess(daemon);
  forkCopy(() => runForked(task), {
    forked: (pid, watch) => link.forked(pid, watch),
    exited: (exit) => link.ended(exit),
  });
  return link;
}

function runForked({ target, args, identity }: ProcessTask): void {
  becomeForked(identity);
  // Ctrl-C reaches the whole foreground group; the parent decides what becomes of its children.
  process.on('SIGINT', () => {});
  const parent = identity.parentPid!;
  tieToParent(parent);
  watchParent(parent);
  void runTarget(() => target, args, identity).then(() => process.exit());
}

// For a child that waits on its event loop.
function watchParent(pid: number): void {
  try {
    new ExitWatch(pidfdOpen(pid), () => process.exit(0)).unref();
  } catch {
    process.exit(0); // gone already
  }
}

class ForkedProcess implements ProcessLink {
  pid: number | undefined;
  readonly #exited = deferred<Omit<HostExit, 'why'>>();
  readonly #daemon: boolean;
  #signals: NodeJS.Signals[] = [];
  #ended = false;

  constructor(daemon: boolean) {
    this.#daemon = daemon;
  }

  get exited(): Promise<Omit<HostExit, 'why'>> {
    return this.#exited.promise;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.pid === undefined) this.#signals.push(signal);
    else if (!this.#ended) process.kill(this.pid, signal);
  }

  forked(pid: number, watch: ExitWatch): void {
    this.pid = pid;
    if (this.#daemon) watch.unref();
    for (const signal of this.#signals) process.kill(pid, signal);
  }

  ended(exit: Omit<HostExit, 'why'>): void {
    this.#ended = true;
    this.#exited.resolve(exit);
  }
}
