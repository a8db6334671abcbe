import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** The variable by which the processes of one test file are known; nested runs add theirs to it. */
export const cookieVariable = 'SIMUL_TEST_COOKIE';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly command: string;
}

/**
 * The living processes that carry the cookie in their environment, run in the session, or descend from one that does.
 * One that scrubbed its environment and left the session and its parent escapes. Needs Linux's /proc; else empty.
 */
export function processesOf(cookie: string, session: number): ProcessEntry[] {
  const all = livingProcesses();
  // The leader of the session is the test process; once it has ended, that number may be another's.
  const belongs = (entry: ProcessEntry): boolean =>
    (entry.session === session && entry.pid !== session) || carries(entry.pid, cookie);
  const ours = new Set(all.filter(belongs).map(({ pid }) => pid));
  for (let size = 0; size !== ours.size;) {
    size = ours.size;
    for (const entry of all) if (ours.has(entry.parent)) ours.add(entry.pid);
  }
  return all.filter((entry) => ours.has(entry.pid));
}

/** Ends them, and what they may start meanwhile; resolves when none is left or after 5 seconds, with those that are. */
export async function killProcesses(cookie: string, session: number): Promise<ProcessEntry[]> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const left = processesOf(cookie, session);
    if (left.length === 0 || performance.now() > deadline) return left;
    for (const { pid } of left) kill(pid);
    await pause(20);
  }
}

/** Waits for processes that are already ending; resolves with those that are not after `seconds`. */
export async function outliving(cookie: string, session: number, seconds: number): Promise<ProcessEntry[]> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const left = processesOf(cookie, session);
    if (left.length === 0 || performance.now() > deadline) return left;
    await pause(20);
  }
}

/** Local addresses on which a process listens, as `tcp 127.0.0.1:6379` or `unix /tmp/x.sock`. */
export function listeningSockets(pid: number): string[] {
  const inodes = new Set(descriptors(pid).flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tcp = ['tcp', 'tcp6'].flatMap((table) =>
    rows(`/proc/net/${table}`)
      .filter((row) => row[3] === '0A' && inodes.has(row[9] ?? ''))
      .map((row) => `${table} port ${Number.parseInt(row[1]!.split(':')[1]!, 16)}`),
  );
  // Flag 00010000 is __SO_ACCEPTCON.
  const unix = rows('/proc/net/unix')
    .filter((row) => row[3] === '00010000' && inodes.has(row[6] ?? ''))
    .map((row) => `unix ${row[7] ?? '(unnamed)'}`);
  return [...tcp, ...unix];
}

/** Whether any living process holds the file open or mapped. */
export function isInUse(path: string): boolean {
  return livingProcesses().some(
    ({ pid }) => descriptors(pid).includes(path) || (read(`/proc/${pid}/maps`)?.includes(path) ?? false),
  );
}

function livingProcesses(): ProcessEntry[] {
  return names('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => entryOf(Number(name)) ?? []);
}

function entryOf(pid: number): ProcessEntry | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may itself hold spaces and parentheses.
  const [state, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  const command = (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
  return { pid, parent: Number(parent), session: Number(session), command };
}

function carries(pid: number, cookie: string): boolean {
  return read(`/proc/${pid}/environ`)?.includes(cookie) ?? false;
}

function descriptors(pid: number): string[] {
  return names(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return [];
    }
  });
}

function rows(table: string): string[][] {
  return (read(table) ?? '').split('\n').map((line) => line.trim().split(/\s+/));
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
