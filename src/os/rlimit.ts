import { InvalidArgumentError } from '../base/errors.ts';
import { checked, libc } from './libc.ts';

/** The kernel's resource limits, by the names of prlimit(1). Linux numbers. */
const resources = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
} as const;

/** The name of a limit. */
export type Resource = keyof typeof resources;

const unlimited = (1n << 64n) - 1n;

/**
 * Sets the limits of a running child (or 0: this process), in the kernel's units; Infinity for none. For programs to be
 * started, option `rlimits` of `run` and `Popen` sets them before the first instruction. EPERM to raise a hard limit, EINVAL,
 * ESRCH. Linux. prlimit(2).
 *
 * @example
 * setrlimit('nofile', [64, 64], child.pid);
 */
export function setrlimit(resource: Resource, limits: readonly [soft: number, hard: number], pid = 0): void {
  if (!Array.isArray(limits) || limits.length !== 2) throw new InvalidArgumentError('limits', limits, '[soft, hard]');
  const value = Buffer.alloc(16);
  for (const [i, limit] of (limits as readonly number[]).entries()) {
    if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0))
      throw new InvalidArgumentError('limits', limit, 'whole numbers or Infinity');
    value.writeBigUInt64LE(limit === Infinity ? unlimited : BigInt(limit), i * 8);
  }
  checked(prlimit()(pid, numberOf(resource), value, null), 'prlimit');
}

/** Soft and hard limit of a process (0: this one). getrlimit(2). */
export function getrlimit(resource: Resource, pid = 0): [soft: number, hard: number] {
  const value = Buffer.alloc(16);
  checked(prlimit()(pid, numberOf(resource), null, value), 'prlimit');
  const read = (offset: number) => {
    const limit = value.readBigUInt64LE(offset);
    return limit === unlimited ? Infinity : Number(limit);
  };
  return [read(0), read(8)];
}

function numberOf(resource: Resource): number {
  const number = resources[resource];
  if (number === undefined)
    throw new InvalidArgumentError('resource', resource, `one of ${Object.keys(resources).join(', ')}`);
  return number;
}

function prlimit() {
  return libc('int prlimit(int pid, int resource, void *limits, void *old)');
}
