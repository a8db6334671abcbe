import { readFileSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
import { UnsupportedError } from '../base/errors.ts';
import { newChildHooks, runAtFork } from './at-fork.ts';
import { prepareForkCall } from './fork-call.ts';
import { prepareChild, turnOfChild } from './fork-child.ts';
import { prepareCryptoCaches } from './fork-randomness.ts';
import { hasLibc, libc, systemError } from './libc.ts';
import { precompile } from './precompile.ts';
import { runningThreads } from './threads-alive.ts';
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
  const [pid] = forkChildren(1);
  return pid!;
}

/**
 * Forks up to `count` children at once and gives their pids, fewer if the system refuses some; in the children the last is 0. To fork
 * one right after the other is cheaper: what the parent writes to between two forks has to be copied each time. The hooks
 * run once. @internal
 */
export function forkChildren(count: number): number[] {
  const steps = prepare();
  precompile(newChildHooks());
  runAtFork('before');
  steps.useUpRandomness();
  const pids = steps.forkTimes(count);
  if (pids[pids.length - 1] === 0) {
    steps.becomeChild();
    runAtFork('afterInChild');
    return pids;
  }
  const failed = pids[pids.length - 1]! < 0 ? systemError('fork') : undefined;
  runAtFork('afterInParent');
  if (failed !== undefined) pids.pop();
  for (const pid of pids) adoptChild(pid);
  if (failed !== undefined && pids.length === 0) throw failed;
  return pids;
}

/** Why `fork()` would refuse here and now, with the remedy; `undefined` if it would not. */
export function whyNoFork(): string | undefined {
  if (process.platform !== 'linux') {
    return `fork() works on Linux only, not on ${process.platform}: use a child process with start method "spawn"`;
  }
  if (!hasLibc()) return 'fork() needs glibc through the package "koffi", which cannot be loaded here: use "spawn"';
  if (!isMainThread) return `fork() works in the main thread only, not in worker ${threadId}`;
  if (!hasFlags) {
    const missing = missingFlags();
    if (missing.length > 0) {
      return `fork() needs node to be started with ${missing.join(' ')}: run the program by "simul run SCRIPT", or node ${forkFlags.join(' ')} SCRIPT`;
    }
    hasFlags = true;
  }
  return runningThreads();
}

let hasFlags = false;

/** The child's or parent's way out without exit handlers, flushing or clean-up. _exit(2). */
export function exitNow(status: number): never {
  libc('void _exit(int status)')(status);
  throw new UnsupportedError('_exit returned');
}

function missingFlags(): string[] {
  // The last of two contrary ones counts.
  const given = [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv].map(canonical);
  return forkFlags.filter((flag) => given.findLast((each) => nameOf(each) === nameOf(flag)) !== flag);
}

function nameOf(flag: string): string {
  return flag.split('=')[0]!.replace(/^--no-/, '--');
}

function canonical(flag: string): string {
  return flag.replaceAll('_', '-');
}

interface Steps {
  useUpRandomness(): void;
  /** Ends early at a failure, and in the children. */
  forkTimes(count: number): number[];
  becomeChild(): void;
}

let steps: Steps | undefined;

// Looked up and bound once, before the first fork: a child should have nothing to compile.
function prepare(): Steps {
  return (steps ??= bind());
}

function bind(): Steps {
  const fork = prepareForkCall(forkableRanges(), turnOfChild);
  const caches = prepareCryptoCaches();
  const becomeChild = prepareChild(caches);
  precompile([becomeChild, caches.leave, exitNow]);
  return {
    useUpRandomness: () => caches.useUp(),
    becomeChild,
    forkTimes: (count) => {
      const pids: number[] = [];
      for (let pid = 1; pid > 0 && pids.length < count;) pids.push((pid = fork()));
      return pids;
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
