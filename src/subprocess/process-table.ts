import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
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

/** All processes but those in `known`: from /proc, or where there is none (macOS) from ps(1). */
export function processTable(known?: ReadonlySet<number>): ProcessEntry[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return fromPs();
  }
  const found: ProcessEntry[] = [];
  for (const name of names) {
    const pid = Number(name);
    const entry = Number.isNaN(pid) || known?.has(pid) === true ? undefined : readEntry(pid);
    if (entry !== undefined) found.push(entry);
  }
  return found;
}

/** One process, `undefined` if it is gone. */
export function readEntry(pid: number): ProcessEntry | undefined {
  const stat = contents(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name, in parentheses, may hold anything; what follows its end is regular.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 20);
  const [state, parent, group, session] = fields;
  return { pid, state: state!, parent: +parent!, group: +group!, session: +session!, start: +fields[19]! };
}

/**
 * Whether the process was started under a mark; `undefined` where that cannot be seen: another user's, or one that is just
 * becoming another program.
 */
export function hasCookie(pid: number, cookie: string): boolean | undefined {
  const environ = contents(`/proc/${pid}/environ`) ?? '';
  if (environ === '') return undefined;
  const at = `\0${environ}`.indexOf(`\0${cookieName}=`);
  return at >= 0 && environ.slice(at).split('\0', 1)[0]!.includes(cookie);
}

/** The real user of a process; `undefined` if it is gone. */
export function userOf(pid: number): number | undefined {
  const status = contents(`/proc/${pid}/status`);
  return status === undefined ? undefined : Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
}

// A third of what readFileSync takes, which asks for sizes that /proc has not got; there may be thousands to read.
const piece = Buffer.alloc(8192);

function contents(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    let text = '';
    for (;;) {
      const count = readSync(fd, piece, 0, piece.length, null);
      text += piece.toString('latin1', 0, count);
      if (count < piece.length) return text;
    }
  } catch {
    return undefined; // gone, or another user's
  } finally {
    if (fd !== undefined) closeSync(fd);
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
