import { InvalidArgumentError } from '../base/errors.ts';
import { DEVNULL, PIPE, STDOUT } from './options.ts';
import type { StartOptions } from './options.ts';

/** What a standard stream is connected to, checked. */
export type StdioTarget = { readonly fd: number } | 'pipe' | 'null' | 'stdout';

/** The three of them; STDOUT is possible for stderr only. */
export function stdioTargets(options: StartOptions): [StdioTarget, StdioTarget, StdioTarget] {
  return [target(options, 'stdin', 0), target(options, 'stdout', 1), target(options, 'stderr', 2)];
}

function target(options: StartOptions, name: 'stdin' | 'stdout' | 'stderr', inherited: number): StdioTarget {
  const value = options[name];
  if (value === undefined) return { fd: inherited };
  if (value === PIPE) return 'pipe';
  if (value === DEVNULL) return 'null';
  if (value === STDOUT && name === 'stderr') return 'stdout';
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0) return { fd: value };
  } else if (typeof value === 'object' && value !== null) {
    const fd = descriptorOf(value);
    if (fd !== undefined) return { fd };
  }
  const allowed = `PIPE, DEVNULL,${name === 'stderr' ? ' STDOUT,' : ''} a descriptor, or a stream that has one`;
  throw new InvalidArgumentError(name, value, name === 'stdin' ? `${allowed} (others: option input)` : allowed);
}

function descriptorOf(stream: object): number | undefined {
  const { fd, _handle } = stream as { fd?: unknown; _handle?: { fd?: unknown } | null };
  // A socket's handle first: its `fd` may belong to the time before it was closed.
  const number = _handle !== undefined && _handle !== null ? _handle.fd : fd;
  return typeof number === 'number' && number >= 0 ? number : undefined;
}
