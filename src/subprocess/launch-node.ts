import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { SystemError } from '../base/errors.ts';
import type { Launched, Launcher } from './launcher.ts';
import type { StartPlan } from './options.ts';
import { environmentPairs } from './options.ts';
import { stdioTargets } from './stdio.ts';
import type { StdioTarget } from './stdio.ts';

/**
 * Starts programs by Node's own spawn, where libc cannot be called. Slower, and two things differ: signals ignored here
 * are not ignored there, and a process group always is a session too.
 */
export const nodeLauncher: Launcher = {
  verifyProgram: true,
  launch: (plan) => {
    const [program, args, options] = nodeSpawnArguments(plan);
    let child: ChildProcess;
    try {
      child = spawn(program, args, options);
    } catch (error) {
      throw spawnError(error, plan.path);
    }
    child.on('error', () => {}); // the failure is thrown below; later ones belong to kill(), which we do not use
    if (child.pid === undefined) throw spawnFailure(plan.path);
    return new NodeChild(child);
  },
};

/** What to hand to Node's spawn and spawnSync. */
export function nodeSpawnArguments(plan: StartPlan): [program: string, args: string[], options: SpawnOptions] {
  const [stdin, stdout, stderr] = stdioTargets(plan.options);
  const merge = stderr === 'stdout';
  // Node cannot give two descriptors one end of a pipe; the shell joins them and becomes the program.
  const argv = merge ? ['/bin/sh', '-c', 'exec "$@" 2>&1', 'sh', plan.path, ...plan.argv.slice(1)] : [...plan.argv];
  const stdio = [entry(stdin), entry(stdout), merge ? 'inherit' : entry(stderr)] as (number | string)[];
  for (const fd of plan.options.passFds ?? []) stdio[fd] = fd;
  const options: SpawnOptions = {
    argv0: argv[0]!,
    cwd: plan.cwd,
    env: environmentRecord(plan.env),
    stdio: Array.from(stdio, (value) => value ?? 'ignore') as NonNullable<SpawnOptions['stdio']>,
    detached: plan.options.startNewSession === true || plan.options.processGroup !== undefined,
  };
  return [merge ? '/bin/sh' : plan.path, argv.slice(1), options];
}

function environmentRecord(env: StartPlan['env']): Record<string, string> {
  const pairs = 'added' in env ? [...environmentPairs(), ...(env.added === undefined ? [] : [env.added])] : env;
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

function entry(target: StdioTarget): number | string {
  if (target === 'pipe') return 'pipe';
  if (target === 'null' || target === 'stdout') return 'ignore';
  return target.fd;
}

class NodeChild implements Launched {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid!;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
  }

  poll(): number | undefined {
    return returncodeOf(this.#child.exitCode, this.#child.signalCode);
  }

  onExit(callback: (returncode: number | 'gone') => void): void {
    const now = this.poll();
    if (now !== undefined) callback(now);
    else this.#child.once('exit', (code, signal) => callback(returncodeOf(code, signal) ?? 'gone'));
  }

  ref(): void {
    this.#child.ref();
  }

  unref(): void {
    this.#child.unref();
  }
}

/** Node's pair of exit code and signal name as one number. */
export function returncodeOf(code: number | null, signal: NodeJS.Signals | null): number | undefined {
  if (signal !== null) return -constants.signals[signal];
  return code ?? undefined;
}

export function spawnError(error: unknown, path: string): Error {
  const { code, errno } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined) return error as Error;
  return new SystemError(code, Math.abs(errno), 'spawn', { path, message: 'could not be started', cause: error });
}

// Node tells of these failures by an event of a later tick only. The plan has looked for program and directory, so what
// is left is a limit: processes or descriptors.
function spawnFailure(path: string): Error {
  const message = 'could not be started: too many processes or open files';
  return new SystemError('EAGAIN', constants.errno.EAGAIN, 'spawn', { path, message });
}
