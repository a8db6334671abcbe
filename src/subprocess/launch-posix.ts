import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { close, pipe } from '../os/descriptor.ts';
import { fdopen } from '../os/fdopen.ts';
import { ExitWatch } from '../os/pidfd.ts';
import { kill } from '../os/process-ids.ts';
import { reap, WNOHANG } from '../os/reap.ts';
import type { FdSource } from '../os/spawn.ts';
import { spawnProgram } from '../os/spawn.ts';
import { waitstatusToExitcode } from '../os/wait-status.ts';
import type { Launched, Launcher } from './launcher.ts';
import type { StartPlan } from './options.ts';
import type { StdioTarget } from './stdio.ts';
import { stdioTargets } from './stdio.ts';

const restored = [constants.signals.SIGPIPE, constants.signals.SIGXFSZ];

/** Starts programs by clone3 or posix_spawn and sees their end through a pidfd: no thread, no polling, no copy of page tables. */
export const posixLauncher: Launcher = {
  verifyProgram: false,
  launch: (plan) => {
    const { pid, pidfd, ours } = startPosix(plan);
    try {
      return new PosixChild(pid, pidfd, ours);
    } catch (error) {
      // Nobody would ever wait for it.
      kill(pid, 'SIGKILL');
      reap(pid, 0);
      throw error;
    }
  },
};

/** The bare start, for those that do their own waiting: the pid, a descriptor for it, and our ends of the pipes. */
export function startPosix(plan: StartPlan): { pid: number; pidfd: number; ours: OurEnds } {
  const { launcher } = plan.options;
  const pipes = new Pipes();
  try {
    const [stdin, stdout, stderr] = stdioTargets(plan.options);
    const out = pipes.source(stdout, 'stdout');
    const fds = [pipes.source(stdin, 'stdin'), out, stderr === 'stdout' ? out : pipes.source(stderr, 'stderr')];
    const request = {
      path: plan.path,
      argv: plan.argv,
      env: plan.env,
      cwd: plan.cwd,
      fds,
      passFds: plan.options.passFds,
      newSession: plan.options.startNewSession,
      processGroup: plan.options.processGroup,
      defaultSignals: plan.options.restoreSignals === false ? [] : restored,
    };
    const started = spawnProgram(request, launcher === 'posix' ? 'posix' : 'clone');
    pipes.closeTheirs();
    return { ...started, ours: pipes.ours };
  } catch (error) {
    pipes.closeAll();
    throw error;
  }
}

/** Descriptors of our ends, where there is a pipe. */
export interface OurEnds {
  stdin?: number;
  stdout?: number;
  stderr?: number;
}

class Pipes {
  readonly ours: OurEnds = {};
  readonly #theirs: number[] = [];

  source(target: StdioTarget, name: 'stdin' | 'stdout' | 'stderr'): FdSource {
    if (target === 'null' || target === 'stdout') return 'null';
    if (target !== 'pipe') return target.fd;
    const [r, w] = pipe();
    const [mine, their] = name === 'stdin' ? [w, r] : [r, w];
    this.ours[name] = mine;
    this.#theirs.push(their);
    return their;
  }

  closeTheirs(): void {
    for (const fd of this.#theirs.splice(0)) close(fd);
  }

  closeAll(): void {
    this.closeTheirs();
    for (const fd of Object.values(this.ours) as number[]) close(fd);
  }
}

class PosixChild implements Launched {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly #watch: ExitWatch;
  #result: number | 'gone' | undefined;
  #callback: ((returncode: number | 'gone') => void) | undefined;

  constructor(pid: number, pidfd: number, ours: OurEnds) {
    this.pid = pid;
    this.#watch = new ExitWatch(pidfd, () => this.poll());
    this.stdin = ours.stdin === undefined ? null : fdopen(ours.stdin, 'w');
    this.stdout = ours.stdout === undefined ? null : fdopen(ours.stdout, 'r');
    this.stderr = ours.stderr === undefined ? null : fdopen(ours.stderr, 'r');
  }

  poll(): number | undefined {
    if (this.#result === undefined) {
      const status = reap(this.pid, WNOHANG);
      if (status === undefined) return undefined;
      this.#end(status === 'gone' ? 'gone' : waitstatusToExitcode(status));
    }
    return this.#result === 'gone' ? undefined : this.#result;
  }

  onExit(callback: (returncode: number | 'gone') => void): void {
    if (this.#result === undefined) this.#callback = callback;
    else callback(this.#result);
  }

  ref(): void {
    this.#watch.ref();
  }

  unref(): void {
    this.#watch.unref();
  }

  #end(result: number | 'gone'): void {
    this.#result = result;
    this.#watch.close();
    this.#callback?.(result);
  }
}
