import type { Readable, Writable } from 'node:stream';
import { resolve } from 'node:path';
import { InvalidArgumentError } from '../base/errors.ts';
import { checkFormat } from '../os/executable.ts';
import { checkDirectory, findProgram } from '../os/program.ts';
import { cookieEnvironment } from './cookie.ts';
import { isWrapped, wrapped } from './exec-wrapper.ts';
import type { ExecAttributes } from './exec-wrapper.ts';

/** A pipe between the program and us. */
export const PIPE = -1;
/** For `stderr`: wherever `stdout` goes, at the descriptor, so that the order of both is kept. */
export const STDOUT = -2;
/** The null device. */
export const DEVNULL = -3;

/** A stream that has a descriptor, as those of files, sockets and `process.stdin`; it is not read from here on. */
export type DescriptorStream = (Readable | Writable | NodeJS.ReadableStream | NodeJS.WritableStream) & object;
/** Where a standard stream goes: `PIPE`, `DEVNULL`, a descriptor, a stream with one; `undefined` inherits ours. */
export type Stdio = number | DescriptorStream | undefined;

/** How a program is started; common to `Popen`, `run` and all that is built on them. */
export interface StartOptions extends ExecAttributes {
  readonly stdin?: Stdio;
  readonly stdout?: Stdio;
  readonly stderr?: Stdio;
  readonly cwd?: string | undefined;
  /** The whole environment; ours by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The program to start instead of `args[0]`, which remains its name; with `shell`, the shell. */
  readonly executable?: string | undefined;
  /** Has /bin/sh interpret `args`. Never with text from outside: that is how commands are injected. */
  readonly shell?: boolean | undefined;
  /** Descriptors the program inherits under their numbers; all others above 2 are closed. */
  readonly passFds?: readonly number[] | undefined;
  /** A session of its own, without our terminal (setsid). */
  readonly startNewSession?: boolean | undefined;
  /** 0: a process group of its own; a number: that group. */
  readonly processGroup?: number | undefined;
  /** Gives SIGPIPE and SIGXFSZ, which Node ignores, their default back in the program (true). */
  readonly restoreSignals?: boolean | undefined;
  /** Marks the environment (SIMUL_TREE) so that descendants are found when the tree is killed (true). */
  readonly treeCookie?: boolean | undefined;
  /** How to start it: by clone3, else posix_spawn, else Node's own spawn ('auto'); or as the name says. */
  readonly launcher?: 'auto' | 'posix' | 'node' | undefined;
}

/** Everything settled: what to execute, and how. */
export interface StartPlan {
  readonly cmd: readonly string[];
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[] | { readonly added: string | undefined };
  readonly cookie: string | undefined;
  readonly cwd: string | undefined;
  readonly options: StartOptions;
}

/**
 * Checks arguments and finds the program; throws InvalidArgumentError, or SystemError if it or `cwd` is not there. With
 * `verify` false a program given by its path is left for the system to judge, at the start.
 */
export function planStart(args: string | readonly string[], options: StartOptions, verify = true): StartPlan {
  const given = commandOf(args);
  checkOptions(options);
  const cmd = options.shell ? [options.executable ?? '/bin/sh', '-c', ...given] : given;
  if (options.cwd !== undefined) checkDirectory(options.cwd);
  const { pairs, cookie } = environment(options);
  const name = options.executable ?? cmd[0]!;
  // Behind a wrapper the system's answer would be lost.
  const check = verify || isWrapped(options);
  const path = findProgram(name, name.includes('/') ? '' : pathOf(options.env), options.cwd, check);
  if (check) checkFormat(options.cwd === undefined ? path : resolve(options.cwd, path));
  const [program, argv] = wrapped(path, cmd, options);
  return { cmd: given, path: program, argv, env: pairs, cookie, cwd: options.cwd, options };
}

function commandOf(args: string | readonly string[]): string[] {
  const cmd = typeof args === 'string' ? [args] : args;
  if (!Array.isArray(cmd) || cmd.length === 0) {
    throw new InvalidArgumentError('args', args, 'a program and its arguments, as ["ls", "-l"]');
  }
  for (const [i, arg] of cmd.entries()) {
    if (typeof arg !== 'string' || arg.includes('\0'))
      throw new InvalidArgumentError(`args[${i}]`, arg, 'a string without NUL');
  }
  if (cmd[0] === '') throw new InvalidArgumentError('args[0]', '', 'the name of a program');
  return [...(cmd as string[])];
}

function checkOptions(options: StartOptions): void {
  const { cwd, processGroup, passFds, executable, env } = options;
  if (passFds !== undefined && !Array.isArray(passFds)) throw new InvalidArgumentError('passFds', passFds, descriptors);
  if (env !== undefined && (typeof env !== 'object' || env === null))
    throw new InvalidArgumentError('env', env, 'an object of names and strings');
  for (const [name, value] of Object.entries({ cwd, executable })) {
    if (value !== undefined && (typeof value !== 'string' || value === '' || value.includes('\0')))
      throw new InvalidArgumentError(name, value, 'a path without NUL');
  }
  if (processGroup !== undefined && (!Number.isInteger(processGroup) || processGroup < 0))
    throw new InvalidArgumentError('processGroup', processGroup, '0 or a process group id');
  for (const fd of passFds ?? []) {
    if (!Number.isInteger(fd) || fd < 3) throw new InvalidArgumentError('passFds', fd, descriptors);
  }
}

const descriptors = 'descriptors of 3 and more; 0-2 are stdin, stdout, stderr';

function environment(options: StartOptions): { pairs: StartPlan['env']; cookie: string | undefined } {
  const { env } = options;
  if (env === undefined) return ownEnvironment(options);
  const pairs: string[] = [];
  for (const [key, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (key === '' || key.includes('=') || key.includes('\0'))
      throw new InvalidArgumentError('env', key, 'names without "=" and NUL');
    if (typeof value !== 'string' || value.includes('\0'))
      throw new InvalidArgumentError(`env.${key}`, value, 'a string without NUL');
    pairs.push(`${key}=${value}`);
  }
  return options.treeCookie === false ? { pairs, cookie: undefined } : cookieEnvironment(pairs);
}

function ownEnvironment(options: StartOptions): { pairs: StartPlan['env']; cookie: string | undefined } {
  if (options.treeCookie === false) return { pairs: { added: undefined }, cookie: undefined };
  const { pairs, cookie } = cookieEnvironment([]);
  return { pairs: { added: pairs[0] }, cookie };
}

/** This process's environment, as pairs. */
export function environmentPairs(): string[] {
  return Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
}

function pathOf(env: StartOptions['env']): string {
  return (env ?? process.env)['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
}
