import { readFileSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
import { UnsupportedError } from '../base/errors.ts';
import { runAtFork } from './at-fork.ts';
import { prepareForkCall } from './fork-call.ts';
import { prepareChild } from './fork-child.ts';
import { prepareHandleWalk, prepareToForgetSignals } from './handles.ts';
import { checked, hasLibc, libc } from './libc.ts';
import { runningThreads } from './threads-alive.ts';
import { currentLoop, uv } from './uv.ts';
import { adoptChild } from './wait.ts';

/** What node must be started with so that `fork()` works: V8 then keeps no helper threads that a child would lack. */
export const forkFlags: readonly string[] = ['--single-threaded', '--v8-pool-size=0'];

/**
 * Splits this process in two, by fork(2): returns the child's pid in the parent and 0 in the child, which goes on from
 * here with a copy of everything (memory is shared until written to; descriptors, timers and servers are held by both).
 * For servers that fork, template processes, and teaching; to run a program use `subprocess`. The child ends as usual or by
 * `_exit`; its parent reaps it with `wait` or `waitpid`. Needs Linux with glibc and a process started by `simul run`
 * (or with `forkFlags`); else, or while worker threads run or module hooks are registered, throws UnsupportedError
 * saying what to do. SystemError EAGAIN if there are too many processes.
 *
 * @example
 * const pid = fork();
 * if (pid === 0) _exit(7);
 * const [, status] = await waitpid(pid); // waitstatusToExitcode(status) is 7
 */
export function fork(): number {
  const reason = whyNoFork();
  if (reason !== undefined) throw new UnsupportedError(reason);
  const steps = prepare();
  runAtFork('before');
  const pid = steps.fork();
  if (pid !== 0) {
    runAtFork('afterInParent');
    if (checked(pid, 'fork') > 0) adoptChild(pid);
    return pid;
  }
  steps.becomeChild();
  runAtFork('afterInChild');
  return 0;
}

/** Why `fork()` would refuse here and now, with the remedy; `undefined` if it would not. */
export function whyNoFork(): string | undefined {
  if (process.platform !== 'linux') {
    return `fork() works on Linux only, not on ${process.platform}: use a child process with start method "spawn"`;
  }
  if (!hasLibc()) return 'fork() needs glibc through the package "koffi", which cannot be loaded here: use "spawn"';
  if (!isMainThread) return `fork() works in the main thread only, not in worker ${threadId}`;
  const missing = missingFlags();
  if (missing.length > 0) {
    return `fork() needs node to be started with ${missing.join(' ')}: run the program by "simul run SCRIPT", or node ${forkFlags.join(' ')} SCRIPT`;
  }
  return runningThreads();
}

/** The child's or parent's way out without exit handlers, flushing or clean-up. _exit(2). */
export function exitNow(status: number): never {
  libc('void _exit(int status)')(status);
  throw new UnsupportedError('_exit returned');
}

function missingFlags(): string[] {
  const given = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)].map(canonical);
  return forkFlags.filter((flag) => !given.includes(canonical(flag)));
}

function canonical(flag: string): string {
  return flag.replaceAll('_', '-');
}

interface Steps {
  fork(): number;
  becomeChild(): void;
}

let steps: Steps | undefined;

// Looked up and bound once, before the first fork: a child should have nothing to compile.
function prepare(): Steps {
  return (steps ??= bind());
}

function bind(): Steps {
  const loopFork = uv('int uv_loop_fork(uintptr_t loop)');
  const loop = currentLoop();
  const fork = prepareForkCall(forkableRanges());
  const forgetSignals = prepareToForgetSignals(prepareHandleWalk());
  const becomeChild = prepareChild();
  return {
    fork,
    becomeChild: () => {
      loopFork(loop); // at once, or parent and child share one epoll set
      forgetSignals();
      becomeChild();
    },
  };
}

// The whole address space but the kernel's own mappings, which answer EINVAL and end the call; holes are passed over.
function forkableRanges(): number[] {
  const top = 0x7fffffff0000;
  const ranges: number[] = [];
  let start = 0x10000;
  for (const [from, to] of specialMappings()) {
    if (from > top) break;
    ranges.push(start, from - start);
    start = to;
  }
  ranges.push(start, top - start);
  return ranges;
}

function specialMappings(): [number, number][] {
  return readFileSync('/proc/self/maps', 'latin1')
    .split('\n')
    .filter((line) => /\[(?:vvar|vdso|vsyscall|vvar_vclock|uprobes)\]/.test(line))
    .map((line) => line.split(' ')[0]!.split('-'))
    .map(([from, to]): [number, number] => [parseInt(from!, 16), parseInt(to!, 16)])
    .sort((a, b) => a[0] - b[0]);
}
