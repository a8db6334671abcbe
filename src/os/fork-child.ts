import { randomFillSync, randomInt, randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { reseedIds } from '../base/ids.ts';
import { libc } from './libc.ts';
import { prepareNaturalEnd } from './natural-end.ts';

/**
 * Prepares, in the parent and once, what makes a process that has just been forked one of its own: identity, randomness,
 * and the way it ends. The child has its pages to copy and should have nothing to look up or compile.
 */
export function prepareChild(): () => void {
  const getpid = libc('int getpid()');
  const endByExit = prepareEnd();
  let parent = true;
  // Often enough that the compiler is done with it; else every child would compile it again for itself, functions that were never
  // called from their source.
  for (let i = 0; i < 20; i++) reseed(true);
  renamePid(getpid(), true);
  reseedIds();
  return () => {
    renamePid(getpid());
    reseed();
    if (parent) endByExit(); // a grandchild has inherited it
    parent = false;
  };
}

// Node caches the pid at start.
function renamePid(pid: number, rehearsal = false): void {
  if (rehearsal) return;
  Object.defineProperty(process, 'pid', { value: pid, configurable: true, enumerable: true, writable: false });
}

function reseed(rehearsal = false): void {
  drain();
  if (rehearsal) return;
  randomFillSync(state);
  state[0]! |= 1; // an all-zero state would stay so
  Math.random = random;
  reseedIds();
}

// crypto keeps caches of 128 UUIDs and 1,024 random integers: siblings would all draw the parent's next values. OpenSSL
// notices forks by itself, so what is drawn anew is safe.
function drain(): void {
  for (let i = 0; i < 128; i++) randomUUID();
  for (let i = 0; i < 1024; i++) randomInt(2);
}

// V8 cannot be told to seed Math.random again. xoshiro128** by Blackman and Vigna.
const state = new Uint32Array(4);

function random(): number {
  return ((next(state) >>> 5) * 67108864 + (next(state) >>> 6)) / 9007199254740992;
}

function next(s: Uint32Array): number {
  const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9);
  const t = s[1]! << 9;
  s[2]! ^= s[0]!;
  s[3]! ^= s[1]!;
  s[1]! ^= s[2]!;
  s[0]! ^= s[3]!;
  s[2]! ^= t;
  s[3] = rotate(s[3]!, 11);
  return result >>> 0;
}

function rotate(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

// Node's own way out tears its platform down and joins helper threads that do not exist here: it would hang. So the
// child leaves by _exit as soon as the `exit` handlers have run, at whichever of the three ends: process.exit, nothing
// left to do, an uncaught exception.
function prepareEnd(): () => void {
  const leave = libc('void _exit(int status)');
  const watchNaturalEnd = prepareNaturalEnd(naturalEnd);
  naturalEnd(false);
  leaveAfterExitHandlers(leave, true);
  return () => {
    Object.assign(process, { reallyExit: (code?: number | string) => leave(Number(code ?? 0) || 0) });
    leaveAfterExitHandlers(leave);
    watchNaturalEnd();
    process.on('uncaughtExceptionMonitor', reportFatal);
  };
}

function leaveAfterExitHandlers(leave: (status: number) => void, rehearsal = false): void {
  if (rehearsal) return;
  const emit = process.emit.bind(process) as (event: string | symbol, ...args: unknown[]) => boolean;
  const emitAndLeave = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'exit') return emit(event, ...args);
    try {
      return emit(event, ...args);
    } catch (error) {
      process.exitCode = 1;
      report(error);
      return true;
    } finally {
      leave(Number(process.exitCode ?? args[0] ?? 0) || 0);
    }
  };
  process.emit = emitAndLeave as typeof process.emit;
}

let saidBeforeExit: 'no' | 'just now' | 'yes' = 'no';

// As Node does: `beforeExit` handlers and the promises they settle may find work; only then is it the end.
function naturalEnd(idle: boolean): void {
  if (saidBeforeExit === 'just now') return;
  if (!idle) saidBeforeExit = 'no';
  else if (saidBeforeExit === 'yes') process.exit();
  else {
    saidBeforeExit = 'just now';
    setImmediate(() => (saidBeforeExit = 'yes'));
    process.emit('beforeExit', Number(process.exitCode ?? 0));
  }
}

// Node prints a fatal error after the exit handlers, which is too late here.
function reportFatal(error: unknown): void {
  if (process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback()) report(error);
}

function report(error: unknown): void {
  try {
    writeSync(2, `Uncaught:\n${inspect(error)}\n\nNode.js ${process.version}\n`);
  } catch {
    // Nobody reads standard error: the exit code has to do.
  }
}
