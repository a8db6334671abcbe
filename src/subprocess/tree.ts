import type { ProcessEntry } from './process-table.ts';
import { hasCookie, processTable, readEntry, userOf } from './process-table.ts';

/** How a tree is recognised: its root, the mark in its environment, whether the root leads a group of its own. */
export interface TreeRoot {
  readonly pid: number;
  /** False once it has been reaped: its pid may be another's by now. */
  readonly alive: boolean;
  readonly cookie: string | undefined;
  readonly leadsGroup: boolean;
  /** The root's start, in clock ticks since boot; younger orphans come into question as escaped. */
  readonly start: number;
}

/** Who was reached by a kill, and who may have escaped it. */
export interface KilledTree {
  /** All that were sent the signal. */
  readonly pids: readonly number[];
  /** Orphans of the same user, no older than the root and without its mark: descendants that cleared their environment
   * look like this, but so do strangers. They were left alone. */
  readonly escaped: readonly number[];
}

/**
 * Sends a signal to a program and all its descendants: children of children, members of its group, and daemons that
 * left both but carry its mark. They are stopped first, again and again until no new one appears, so that none can
 * fork away between being seen and being killed.
 */
export function killTree(root: TreeRoot, signal: NodeJS.Signals): KilledTree {
  const frozen = new Map<number, ProcessEntry>();
  const marked = markReader(root.cookie);
  const all = processTable();
  const older = olderThan(root, all);
  let table = all;
  for (let grown = true; grown; table = grown ? processTable(older.pids) : table) {
    grown = false;
    for (const entry of members(table, root, (entry) => entry.start >= older.start && marked(entry))) {
      if (frozen.get(entry.pid)?.start === entry.start) continue;
      frozen.set(entry.pid, entry);
      send(entry, 'SIGSTOP');
      grown = true;
    }
  }
  for (const entry of frozen.values()) {
    send(entry, signal);
    // A stopped process sees only SIGKILL.
    if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') send(entry, 'SIGCONT');
  }
  return { pids: [...frozen.keys()], escaped: suspects(table, all, root, frozen) };
}

/** Processes that began before the root: no descendants of it, so they are looked at once and no more. */
function olderThan(root: TreeRoot, table: readonly ProcessEntry[]): { start: number; pids: ReadonlySet<number> } {
  const own = root.alive ? table.find((entry) => entry.pid === root.pid)?.start : undefined;
  const start = own ?? root.start;
  // ps tells no starts (0).
  const pids = table.filter((entry) => entry.start !== 0 && entry.start < start).map((entry) => entry.pid);
  return { start, pids: new Set(pids) };
}

/** Tells whether a process carries the mark. It has it from its parent, so each has to be asked once only. */
function markReader(cookie: string | undefined): (entry: ProcessEntry) => boolean {
  if (cookie === undefined) return () => false;
  const answers = new Map<string, boolean | undefined>();
  return ({ pid, start }) => {
    const key = `${pid} ${start}`;
    const answer = answers.get(key) ?? hasCookie(pid, cookie);
    answers.set(key, answer);
    return answer === true;
  };
}

function members(
  table: readonly ProcessEntry[],
  root: TreeRoot,
  marked: (entry: ProcessEntry) => boolean,
): ProcessEntry[] {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of table) {
    const siblings = children.get(entry.parent);
    if (siblings === undefined) children.set(entry.parent, [entry]);
    else siblings.push(entry);
  }
  // A group's number stays taken while it has members, also after its leader; so a new leader means a new group.
  const byGroup = root.leadsGroup && (root.alive || !table.some((entry) => entry.pid === root.pid));
  const found = new Map<number, ProcessEntry>();
  const add = (entry: ProcessEntry): void => {
    if (entry.pid === process.pid || found.has(entry.pid) || entry.state === 'Z') return;
    found.set(entry.pid, entry);
    for (const child of children.get(entry.pid) ?? []) add(child);
  };
  for (const entry of table) {
    if (isRoot(entry, root, byGroup) || marked(entry)) add(entry);
  }
  return [...found.values()];
}

function isRoot(entry: ProcessEntry, root: TreeRoot, byGroup: boolean): boolean {
  if (root.alive && entry.pid === root.pid) return true;
  return byGroup && (entry.group === root.pid || entry.session === root.pid);
}

function suspects(
  table: readonly ProcessEntry[],
  all: readonly ProcessEntry[],
  root: TreeRoot,
  killed: ReadonlyMap<number, unknown>,
): number[] {
  const { start } = root;
  const me = process.getuid?.();
  const reapers = orphanParents(all);
  return table
    .filter((entry) => entry.start >= start && !killed.has(entry.pid) && entry.state !== 'Z')
    .filter((entry) => reapers.has(entry.parent) && entry.pid !== process.pid && userOf(entry.pid) === me)
    .map((entry) => entry.pid);
}

// Orphans go to the nearest ancestor that asked for them (PR_SET_CHILD_SUBREAPER), at last to init; ours or any above us.
function orphanParents(table: readonly ProcessEntry[]): Set<number> {
  const parents = new Map(table.map((entry) => [entry.pid, entry.parent]));
  const reapers = new Set([0, 1]);
  for (let pid = parents.get(process.ppid); pid !== undefined && pid > 1; pid = parents.get(pid)) reapers.add(pid);
  return reapers;
}

function send(entry: ProcessEntry, signal: NodeJS.Signals): void {
  // The pid may have been given to another since the table was read.
  if (entry.start !== 0 && readEntry(entry.pid)?.start !== entry.start) return;
  try {
    process.kill(entry.pid, signal);
  } catch {
    // Ended by itself, or another user's: nothing of ours to do.
  }
}
