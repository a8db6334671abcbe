import { availableParallelism, cpus } from 'node:os';
import { InvalidArgumentError } from '../base/errors.ts';
import { checked, errno, koffi, libc, systemError } from './libc.ts';
import { checkPid } from './process-ids.ts';

const setSize = 128; // cpu_set_t: 1,024 processors
const PRIO_PROCESS = 0;

/**
 * Processors of the machine; `usable: true` those this process may run on.
 *
 * @example
 * cpuCount({ usable: true }); // 4
 */
export function cpuCount({ usable = false }: { usable?: boolean } = {}): number {
  return usable ? availableParallelism() : Math.max(1, cpus().length);
}

/**
 * Restricts a process (0: this one; its main thread, and what that starts later) to some processors, by number. SystemError EINVAL if none of them exists,
 * ESRCH, EPERM. Linux. sched_setaffinity(2).
 *
 * @example
 * schedSetaffinity(child.pid, [0, 1]);
 */
export function schedSetaffinity(pid: number, processors: Iterable<number>): void {
  checkPid(pid);
  if (typeof processors !== 'object' || processors === null || !(Symbol.iterator in processors))
    throw new InvalidArgumentError('processors', processors, 'numbers of processors, as [0, 1]');
  const set = Buffer.alloc(setSize);
  for (const cpu of processors) {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= setSize * 8)
      throw new InvalidArgumentError('processors', cpu, `numbers from 0 to ${setSize * 8 - 1}`);
    set[cpu >> 3]! |= 1 << (cpu & 7);
  }
  checked(libc('int sched_setaffinity(int pid, size_t size, void *set)')(pid, setSize, set), 'sched_setaffinity');
}

/** The processors a process (0: this one) may run on. sched_getaffinity(2). */
export function schedGetaffinity(pid = 0): Set<number> {
  const set = Buffer.alloc(setSize);
  checked(libc('int sched_getaffinity(int pid, size_t size, void *set)')(pid, setSize, set), 'sched_getaffinity');
  const processors = new Set<number>();
  for (let cpu = 0; cpu < setSize * 8; cpu++) if (set[cpu >> 3]! & (1 << (cpu & 7))) processors.add(cpu);
  return processors;
}

/** Adds to this process's niceness and returns the new one; only root may lower it (EPERM). nice(2). */
export function nice(increment: number): number {
  if (!Number.isInteger(increment)) throw new InvalidArgumentError('increment', increment, 'a whole number');
  koffi().errno(0); // -1 is a niceness too: only errno tells
  const result = libc('int nice(int increment)')(increment);
  if (result === -1 && errno() !== 0) throw systemError('nice');
  return result;
}

/** The niceness of a process (0: this one), -20 to 19. getpriority(2). */
export function getNice(pid = 0): number {
  koffi().errno(0);
  const result = libc('int getpriority(int which, int who)')(PRIO_PROCESS, pid);
  if (result === -1 && errno() !== 0) throw systemError('getpriority');
  return result;
}
