import { randomFillSync } from 'node:crypto';
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { reseedIds } from '../base/ids.ts';
import type { CryptoCaches } from './fork-randomness.ts';
import { libc } from './libc.ts';

/**
 * Prepares, in the parent and once, what makes a process that has just been forked one of its own: identity, randomness,
 * and the way it ends. Each page the child writes to has to be copied first: so what differs in children is put in place in
 * their parent, and a child sets a few fields.
 */
export function prepareChild(caches: CryptoCaches): () => void {
  getpid = libc('int getpid()');
  leave = libc('void _exit(int status)');
  Object.defineProperty(process, 'pid', { get: () => (pid ??= getpid()), configurable: true, enumerable: true });
  takePlaces();
  becomeChild(caches, false);
  return () => becomeChild(caches, true);
}

let inChild = false;
// Node caches the pid at start.
let pid: number | undefined;
let getpid: () => number;
let leave: (status: number) => void;

function becomeChild({ leave: leaveCaches }: CryptoCaches, really: boolean): void {
  pid = undefined;
  seeded = false;
  reseedIds();
  if (!really) return;
  inChild = true;
  takePlaces();
  leaveCaches();
}

// Node's own way out tears its platform down and joins helper threads that do not exist here: it would hang. So the
// child leaves by _exit as soon as the `exit` handlers have run, at whichever of the three ends: process.exit, nothing
// left to do, an uncaught exception.
// Others who take these places put back what they found (signal-exit): then they are taken once more, in the child.
function takePlaces(): void {
  const { emit, reallyExit } = process as unknown as Ends;
  if (emit !== ours.emit) ours.emit = emitAround(emit);
  if (reallyExit !== ours.reallyExit) ours.reallyExit = exitAround(reallyExit);
  if (Math.random !== ours.random) Math.random = ours.random = randomAround(Math.random);
  if (emit !== ours.emit || reallyExit !== ours.reallyExit)
    Object.assign(process, { emit: ours.emit, reallyExit: ours.reallyExit });
}

const ours: { emit?: Ends['emit']; reallyExit?: Ends['reallyExit']; random?: () => number } = {};

function emitAround(emit: Ends['emit']): Ends['emit'] {
  return (event, ...args) => {
    const emitted = () => Reflect.apply(emit, process, [event, ...args]);
    return inChild ? emitInChild(event, args, emitted) : emitted();
  };
}

function exitAround(reallyExit: Ends['reallyExit']): Ends['reallyExit'] {
  return (code) => {
    if (inChild) leave(Number(code ?? 0) || 0);
    Reflect.apply(reallyExit, process, [code]);
  };
}

function randomAround(randomOfV8: () => number): () => number {
  return () => (inChild ? random() : randomOfV8());
}

interface Ends {
  readonly emit: (event: string | symbol, ...args: unknown[]) => boolean;
  readonly reallyExit: (code?: number | string) => void;
}

function emitInChild(event: string | symbol, args: readonly unknown[], emitted: () => boolean): boolean {
  if (event === 'uncaughtExceptionMonitor') return reportFatal(emitted(), args[0]);
  if (event !== 'exit') return emitted();
  try {
    return emitted();
  } catch (error) {
    process.exitCode = 1;
    report(error);
    return true;
  } finally {
    leave(Number(process.exitCode ?? args[0] ?? 0) || 0);
  }
}

// V8 cannot be told to seed Math.random again. xoshiro128** by Blackman and Vigna.
const state = new Uint32Array(4);
let seeded = false;

function random(): number {
  if (!seeded) seed();
  return ((next(state) >>> 5) * 67108864 + (next(state) >>> 6)) / 9007199254740992;
}

function seed(): void {
  seeded = true;
  randomFillSync(state);
  state[0]! |= 1; // an all-zero state would stay so
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

let saidBeforeExit: 'no' | 'just now' | 'yes' = 'no';

/**
 * What comes with a turn of a forked child's event loop that has nothing left to do, as Node does it: `beforeExit` handlers and
 * the promises they settle may find work; only then is it the end. Tells whether to be called at the next turn even if there
 * is something to do. @internal
 */
export function turnOfChild(idle: boolean): boolean {
  if (saidBeforeExit === 'just now') return true;
  if (!idle) saidBeforeExit = 'no';
  else if (saidBeforeExit === 'yes') process.exit();
  else {
    saidBeforeExit = 'just now';
    setImmediate(() => (saidBeforeExit = 'yes'));
    process.emit('beforeExit', Number(process.exitCode ?? 0));
  }
  return idle;
}

// Node prints a fatal error after the exit handlers, which is too late here.
function reportFatal(heard: boolean, error: unknown): boolean {
  if (reported) return heard;
  if (process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback()) {
    reported = true;
    report(error);
  }
  return heard;
}

// By an `emit` of ours within another's within ours.
let reported = false;

function report(error: unknown): void {
  try {
    writeSync(2, `Uncaught:\n${inspect(error)}\n\nNode.js ${process.version}\n`);
  } catch {
    // Nobody reads standard error.
  }
}
