import { readdirSync, readFileSync } from 'node:fs';

/**
 * User and system seconds spent so far by this process, all its descendants and the processes named, children that
 * have ended and been reaped included; take the difference of two calls. Exact to 10 ms for other processes (the
 * kernel's tick); elsewhere than on Linux only this process is seen.
 */
export function cpuSeconds(others: readonly number[] = []): number {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  const table = processes();
  const self = table.get(process.pid);
  if (self === undefined) return own;
  let ticks = self.reaped;
  for (const pid of descendants(table, [...childrenOf(table, process.pid), ...others])) {
    const entry = table.get(pid);
    // A descendant that ends moves its total to its parent's `reaped`, so that the sum never falls.
    if (entry !== undefined) ticks += entry.own + entry.reaped;
  }
  return own + ticks / ticksPerSecond;
}

// USER_HZ is 100 on every architecture Node runs on (proc(5): clock ticks of sysconf(_SC_CLK_TCK)).
const ticksPerSecond = 100;

interface ProcessTimes {
  readonly parent: number;
  readonly own: number;
  readonly reaped: number;
}

function processes(): Map<number, ProcessTimes> {
  const table = new Map<number, ProcessTimes>();
  if (process.platform !== 'linux') return table;
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? read(name) : undefined;
    if (times !== undefined) table.set(Number(name), times);
  }
  return table;
}

function read(pid: string): ProcessTimes | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // it ended between the listing and the reading
  }
  // The command's name, in parentheses, may itself hold spaces and parentheses: fields count from the last one.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return { parent: fields[1]!, own: fields[11]! + fields[12]!, reaped: fields[13]! + fields[14]! };
}

function descendants(table: ReadonlyMap<number, ProcessTimes>, roots: readonly number[]): Set<number> {
  const found = new Set(roots);
  for (const pid of found) for (const child of childrenOf(table, pid)) found.add(child);
  return found;
}

function childrenOf(table: ReadonlyMap<number, ProcessTimes>, pid: number): number[] {
  return [...table].filter(([, { parent }]) => parent === pid).map(([child]) => child);
}
