import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { InvalidArgumentError, SystemError } from '../base/errors.ts';
import { hasLibc } from '../os/libc.ts';
import { findProgram } from '../os/program.ts';
import { getrlimit } from '../os/rlimit.ts';
import { accountId } from './accounts.ts';

/** What is set in the program before it begins. A few small programs (sh, prlimit, nice, setpriv) set it and become it. */
export interface ExecAttributes {
  readonly umask?: number | undefined;
  /** Niceness to add; only root may lower it. */
  readonly nice?: number | undefined;
  /** Resource limits: `{ nofile: 64, as: [soft, hard] }`, in the kernel's units; names as of prlimit(1). */
  readonly rlimits?:
    | Readonly<Partial<Record<ResourceLimit, number | readonly [soft: number, hard: number]>>>
    | undefined;
  /** User and group to become, by number or name; needs privileges. */
  readonly user?: number | string | undefined;
  readonly group?: number | string | undefined;
  readonly extraGroups?: readonly (number | string)[] | undefined;
}

const limits = ['as', 'core', 'cpu', 'data', 'fsize', 'memlock', 'nofile', 'nproc', 'rss', 'stack'] as const;
/** The name of a limit, as prlimit(1) has it. */
export type ResourceLimit = (typeof limits)[number];

/** Whether any attribute is asked for. */
export function isWrapped({ umask, nice, rlimits, user, group, extraGroups }: ExecAttributes): boolean {
  return [umask, nice, rlimits, user, group, extraGroups].some((value) => value !== undefined);
}

/** Program and arguments, behind wrappers where attributes are asked for. */
export function wrapped(
  path: string,
  cmd: readonly string[],
  attributes: ExecAttributes & { executable?: string | undefined; shell?: boolean | undefined },
): [path: string, argv: readonly string[]] {
  if (!isWrapped(attributes)) return [path, cmd];
  const [limit, user] = [limitWrapper(attributes.rlimits), userWrapper(attributes)];
  // Whoever comes after the limits runs under them, so they come last; but the new user may not raise one.
  const inner = raises(attributes.rlimits) ? [...limit, ...user] : [...user, ...limit];
  const wrapper = [...umaskWrapper(attributes.umask), ...niceWrapper(attributes.nice), ...inner];
  if (wrapper.length === 0) return [path, cmd];
  // A wrapper executes by path and passes that on as the name.
  const argv = [...wrapper, path, ...cmd.slice(1)];
  return [findProgram(argv[0]!, wrapperPath, undefined), argv];
}

// Not the caller's PATH: these decide about privileges.
const wrapperPath = '/usr/bin:/bin:/usr/sbin:/sbin';

function umaskWrapper(umask: number | undefined): string[] {
  if (umask === undefined) return [];
  if (!Number.isInteger(umask) || umask < 0 || umask > 0o777)
    throw new InvalidArgumentError('umask', umask, 'an octal mask between 0 and 0o777');
  return ['/bin/sh', '-c', `umask ${umask.toString(8)} && exec "$@"`, 'sh'];
}

function limitWrapper(rlimits: ExecAttributes['rlimits']): string[] {
  const entries = Object.entries(rlimits ?? {});
  if (entries.length === 0) return [];
  const options = entries.map(([name, value]) => {
    const [soft, hard] = typeof value === 'number' ? [value, value] : value;
    if (!(limits as readonly string[]).includes(name))
      throw new InvalidArgumentError('rlimits', name, `one of ${limits.join(', ')}`);
    if (!isLimit(soft) || !isLimit(hard) || soft > hard)
      throw new InvalidArgumentError(`rlimits.${name}`, value, 'a whole number or Infinity, or [soft, hard] of them');
    checkRaise(name as ResourceLimit, hard);
    return `--${name}=${written(soft)}:${written(hard)}`;
  });
  return [findProgram('prlimit', wrapperPath, undefined), ...options, '--'];
}

function niceWrapper(nice: number | undefined): string[] {
  if (nice === undefined) return [];
  if (!Number.isInteger(nice)) throw new InvalidArgumentError('nice', nice, 'a whole number to add');
  if (nice < 0) checkPrivilege('setpriority');
  return [findProgram('nice', wrapperPath, undefined), '-n', String(nice), '--'];
}

function userWrapper({ user, group, extraGroups }: ExecAttributes): string[] {
  if (user === undefined && group === undefined && extraGroups === undefined) return [];
  checkPrivilege('setreuid');
  const options: string[] = [];
  if (user !== undefined) options.push(`--reuid=${accountId('user', 'user', user)}`);
  if (group !== undefined) options.push(`--regid=${accountId('group', 'group', group)}`);
  if (extraGroups === undefined) options.push('--keep-groups');
  else if (extraGroups.length === 0) options.push('--clear-groups');
  else options.push(`--groups=${extraGroups.map((name) => accountId('group', 'extraGroups', name)).join(',')}`);
  return [findProgram('setpriv', wrapperPath, undefined), ...options, '--'];
}

// The wrapper could only complain on standard error; the operating system's answer is known beforehand.
function checkPrivilege(syscall: string): void {
  if (process.geteuid?.() === 0) return;
  throw new SystemError('EPERM', constants.errno.EPERM, syscall, { message: 'operation not permitted' });
}

// As prlimit would find out: only the privileged raise a hard limit, and that of open files nobody beyond the kernel's own.
function checkRaise(name: ResourceLimit, hard: number): void {
  const present = hardLimit(name);
  if (present === undefined) return;
  const most = name === 'nofile' ? numberIn('/proc/sys/fs/nr_open') : Infinity;
  const allowed = mayRaiseLimits() ? most : present;
  if (hard <= allowed) return;
  const message = `${name} cannot be raised to ${hard}; at most ${allowed}`;
  throw new SystemError('EPERM', constants.errno.EPERM, 'prlimit', { message });
}

function raises(rlimits: ExecAttributes['rlimits']): boolean {
  return Object.entries(rlimits ?? {}).some(([name, value]) => {
    const hard = typeof value === 'number' ? value : value[1];
    return hard > (hardLimit(name as ResourceLimit) ?? -1);
  });
}

function hardLimit(name: ResourceLimit): number | undefined {
  return hasLibc() ? getrlimit(name)[1] : undefined;
}

const CAP_SYS_RESOURCE = 24n;

function mayRaiseLimits(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

function numberIn(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1'));
  } catch {
    return Infinity;
  }
}

function isLimit(value: number): boolean {
  return value === Infinity || (Number.isSafeInteger(value) && value >= 0);
}

function written(value: number): string {
  return value === Infinity ? 'unlimited' : String(value);
}
