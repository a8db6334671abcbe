import { constants } from 'node:os';
import { nameClass, SimulError, TimeoutError } from '../base/errors.ts';

/** What a program printed, as far as it was captured: text or bytes as asked for. */
export type Captured = string | Buffer | undefined;

/** A program asked to succeed did not: `returncode` is its exit code, or -N if signal N ended it. */
export class CalledProcessError extends SimulError {
  readonly returncode: number;
  readonly cmd: readonly string[];
  readonly stdout: Captured;
  readonly stderr: Captured;

  constructor(returncode: number, cmd: readonly string[], stdout?: Captured, stderr?: Captured) {
    super('SIMUL_CALLED_PROCESS', `command ${commandLine(cmd)} ${ending(returncode)}${tail(stderr)}`);
    this.returncode = returncode;
    this.cmd = cmd;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** The same as `stdout`. */
  get output(): Captured {
    return this.stdout;
  }

  static {
    nameClass(this, 'CalledProcessError');
  }
}

/**
 * A program did not end in time. `stdout` and `stderr` are what it printed until then. Where the program was killed for
 * it, `escaped` lists processes that may be its descendants but cleared their environment and left their parents: they live on.
 */
export class TimeoutExpired extends TimeoutError {
  readonly cmd: readonly string[];
  readonly stdout: Captured;
  readonly stderr: Captured;
  readonly escaped: readonly number[];

  constructor(
    cmd: readonly string[],
    timeout: number,
    details: { stdout?: Captured; stderr?: Captured; escaped?: readonly number[] } = {},
  ) {
    super(`command ${commandLine(cmd)} timed out after ${timeout} s`, { timeout });
    this.cmd = cmd;
    this.stdout = details.stdout;
    this.stderr = details.stderr;
    this.escaped = details.escaped ?? [];
  }

  get output(): Captured {
    return this.stdout;
  }

  static {
    nameClass(this, 'TimeoutExpired');
  }
}

function commandLine(cmd: readonly string[]): string {
  const line = cmd.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(' ');
  return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}

function ending(returncode: number): string {
  if (returncode >= 0) return `returned exit code ${returncode}`;
  const name = Object.entries(constants.signals).find(([, number]) => number === -returncode)?.[0];
  return `died of ${name ?? `signal ${-returncode}`}`;
}

// The last line of what it complained of, for the one-line message; the whole is in `stderr`.
function tail(stderr: Captured): string {
  if (stderr === undefined || stderr.length === 0) return '';
  const text = (typeof stderr === 'string' ? stderr.slice(-300) : stderr.subarray(-300).toString()).trimEnd();
  const line = text.slice(text.lastIndexOf('\n') + 1);
  return line === '' ? '' : `: ${line}`;
}
