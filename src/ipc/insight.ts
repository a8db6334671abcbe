import { readFileSync } from 'node:fs';
import { addDumpSection } from '../asyncio/dump.ts';
import { LiveObjects } from '../base/live-objects.ts';
import type { Region } from './region.ts';
import { STATE } from './region.ts';

/** A thread of some process, as reports name it. */
export interface ThreadName {
  readonly pid: number;
  /** The kernel's number of the thread; for locks of threads Node's, plus one. */
  readonly thread: number;
}

/** Who holds a named lock and who waits for it. */
export interface LockReport {
  readonly name: string;
  readonly scope: Region['scope'];
  readonly holder: ThreadName | undefined;
  readonly waiters: readonly ThreadName[];
}

/** The named locks this thread knows, and the circles in which threads wait for each other. */
export interface DeadlockReport {
  readonly locks: readonly LockReport[];
  /** Each a list of lock names: the holder of one waits for the next, that of the last for the first. */
  readonly cycles: readonly (readonly string[])[];
}

interface NamedLock {
  readonly name: string | undefined;
  readonly region: Region;
  readonly owner: readonly [thread: number, pid: number];
}

const locks = new LiveObjects<NamedLock>();
let inDump = false;
// Seven pairs of thread and process in the words a lock has no other use for; more waiters go unnamed.
const PAIRS = 7;

/** Enters a lock in reports. */
export function noteLock(lock: NamedLock): void {
  if (!inDump) addDumpSection('locks', () => `${formatLockReport(lockReport()) || 'none with a name'}\n`);
  inDump = true;
  locks.add(lock);
}

/** Notes that this thread waits for the lock of that region; the function returned takes it back. */
export function noteWait(region: Region): () => void {
  const { words, self } = region;
  if (Atomics.load(words, STATE + (PAIRS - 1) * 2) !== 0) clearDead(region);
  for (let pair = 0; pair < PAIRS; pair++) {
    const at = STATE + pair * 2;
    if (Atomics.compareExchange(words, at, 0, self) !== 0) continue;
    Atomics.store(words, at + 1, process.pid);
    return () => Atomics.compareExchange(words, at, self, 0);
  }
  return () => {};
}

// A waiter that was killed has not taken its note back.
function clearDead({ words, scope }: Region): void {
  if (scope === 'threads') return;
  for (let at = STATE; at < STATE + PAIRS * 2; at += 2) {
    const thread = Atomics.load(words, at);
    if (thread !== 0 && !lives(Atomics.load(words, at + 1), thread)) Atomics.compareExchange(words, at, thread, 0);
  }
}

/**
 * Who holds and who waits for each named lock that this thread has made or been given, in all threads and processes, and
 * the cycles among them: a deadlock, if none of their waits has a timeout.
 *
 * @example
 * const [cycle] = lockReport().cycles; // ['accounts', 'orders']
 */
export function lockReport(): DeadlockReport {
  const reports = [...locks].map(report);
  return { locks: reports, cycles: findCycles(reports) };
}

/**
 * The report as lines to print.
 *
 * @example
 * console.error(formatLockReport(lockReport()));
 */
export function formatLockReport({ locks: reports, cycles }: DeadlockReport): string {
  const lines = reports.map(({ name, holder, waiters }) => {
    const who = waiters.length === 0 ? 'nobody waits' : `waited for by ${waiters.map(show).join(', ')}`;
    return `${name}: ${holder === undefined ? 'free' : `held by ${show(holder)}`}; ${who}`;
  });
  return [...lines, ...cycles.map((cycle) => `cycle: ${[...cycle, cycle[0]].join(' -> ')}`)].join('\n');
}

function report({ name, region, owner: [thread, pid] }: NamedLock): LockReport {
  const holder = thread === 0 ? undefined : { pid, thread };
  return { name: name!, scope: region.scope, holder, waiters: waitersOf(region) };
}

function waitersOf({ words, scope }: Region): ThreadName[] {
  return Array.from({ length: PAIRS }, (_, pair) => ({
    thread: Atomics.load(words, STATE + pair * 2),
    pid: Atomics.load(words, STATE + pair * 2 + 1),
  })).filter(({ thread, pid }) => thread !== 0 && (scope === 'threads' || lives(pid, thread)));
}

function lives(pid: number, thread: number): boolean {
  try {
    readFileSync(`/proc/${pid}/task/${thread}/comm`);
    return true;
  } catch {
    return false;
  }
}

function findCycles(reports: readonly LockReport[]): string[][] {
  const cycles: string[][] = [];
  for (const start of reports) follow(start, [start], reports, cycles);
  return cycles;
}

function follow(start: LockReport, path: LockReport[], reports: readonly LockReport[], cycles: string[][]): void {
  const { holder } = path.at(-1)!;
  if (holder === undefined) return;
  for (const next of reports) {
    if (!next.waiters.some((waiter) => same(waiter, holder)) || next === path.at(-1)) continue;
    // Found from its first lock only, not once from each.
    if (next === start && path.every((lock) => reports.indexOf(lock) >= reports.indexOf(start))) {
      cycles.push(path.map(({ name }) => name));
    } else if (!path.includes(next)) follow(start, [...path, next], reports, cycles);
  }
}

function same(a: ThreadName, b: ThreadName): boolean {
  return a.pid === b.pid && a.thread === b.thread;
}

function show({ pid, thread }: ThreadName): string {
  return pid === thread ? `process ${pid}` : `thread ${thread} of process ${pid}`;
}
