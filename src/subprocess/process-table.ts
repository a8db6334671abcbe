import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cookieName } from './cookie.ts';

/** One living process, as the kernel lists it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** One letter: R, S, D, T (stopped), Z (zombie)… */
  readonly state: string;
  /** Clock ticks since boot, which with the pid names a process for good; 0 where unknown. */
  readonly start: number;
}

/** All processes: from /proc, or where there is none (macOS) from ps(1). */
export function processTable(): ProcessEntry[] {
  let names: string[];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return fromPs();
  }
  return names.flatMap((name) => readEntry(Number(name)) ?? []);
}

/** One process, `undefined` if it is gone. */
export function readEntry(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything; what follows its end is regular.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, parent, group, session] = fields;
    return { pid, state: state!, parent: +parent!, group: +group!, session: +session!, start: +fields[19]! };
  } catch {
    return undefined;
  }
}

/** Whether the process was started under a mark; false for those whose environment we may not read. */
export function hasCookie(pid: number, cookie: string): boolean {
  try {
    const environ = readFileSync(`/proc/${pid}/environ`, 'latin1');
    const at = `\0${environ}`.indexOf(`\0${cookieName}=`);
    return at >= 0 && environ.slice(at).split('\0', 1)[0]!.includes(cookie);
  } catch {
    return false;
  }
}

/** The real user of a process; `undefined` if it is gone. */
export function userOf(pid: number): number | undefined {
  try {
    return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return undefined;
  }
}

/** From ps(1), which has neither start times in ticks nor environments. */
export function fromPs(): ProcessEntry[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [pid, parent, group, state] = line.trim().split(/\s+/);
    if (state === undefined) return [];
    return { pid: +pid!, parent: +parent!, group: +group!, session: 0, state: state[0]!, start: 0 };
  });
}
