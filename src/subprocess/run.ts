import type { WaitOptions } from '../base/deadline.ts';
import { endingSignals, throwIfAnyAborted, withinTask } from '../base/ending-signals.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { CalledProcessError, TimeoutExpired } from './errors.ts';
import type { Captured } from './errors.ts';
import { checkInput } from './feed.ts';
import type { Input } from './feed.ts';
import { PIPE, STDOUT } from './options.ts';
import type { Output, PopenOptions } from './popen.ts';
import { Popen } from './popen.ts';

/** How a program is run to its end. */
export interface RunOptions extends PopenOptions, WaitOptions {
  /** What the program reads on stdin. */
  readonly input?: Input | undefined;
  /** Captures stdout and stderr. */
  readonly captureOutput?: boolean | undefined;
  /** Throws CalledProcessError unless the exit code is 0. */
  readonly check?: boolean | undefined;
}

/** Its type where `captureOutput` or PIPE asked for it, else `undefined`. */
export type RunOutput<O, Name extends 'stdout' | 'stderr'> = O extends
  | { captureOutput: true }
  | { [K in Name]: typeof PIPE }
  ? Output<O>
  : Output<O> | undefined;

/** A program that has ended. */
export class CompletedProcess<Out extends Captured = Captured, Err extends Captured = Captured> {
  readonly args: readonly string[];
  /** The exit code, or -N for death by signal N. */
  readonly returncode: number;
  readonly stdout: Out;
  readonly stderr: Err;

  constructor(args: readonly string[], returncode: number, stdout: Out, stderr: Err) {
    this.args = args;
    this.returncode = returncode;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** Throws CalledProcessError unless the exit code is 0. */
  checkReturncode(): void {
    if (this.returncode !== 0) throw new CalledProcessError(this.returncode, this.args, this.stdout, this.stderr);
  }
}

/** What `run` takes as one object. */
export interface RunRequest extends RunOptions {
  readonly args: string | readonly string[];
}

/**
 * Runs a program to its end. The usual way to use one; `Popen` for talking with it meanwhile. When `timeout` seconds pass
 * or `signal` is aborted, it is killed with all its descendants, and TimeoutExpired (with what it printed) or
 * CancelledError thrown. Non-zero exit codes throw only with `check`. SystemError if it cannot be started. Like CPython's
 * subprocess.run.
 *
 * @example
 * const { stdout } = await run(['git', 'status', '-s'], { captureOutput: true, text: true, check: true });
 */
export function run<const O extends RunOptions>(
  args: string | readonly string[] | (O & RunRequest),
  options?: O,
): Promise<CompletedProcess<RunOutput<O, 'stdout'>, RunOutput<O, 'stderr'>>> {
  return withinTask(() => runToItsEnd(args, options));
}

async function runToItsEnd<const O extends RunOptions>(
  args: string | readonly string[] | (O & RunRequest),
  options?: O,
): Promise<CompletedProcess<RunOutput<O, 'stdout'>, RunOutput<O, 'stderr'>>> {
  const [cmd, settings] = requested<O>(args, options);
  throwIfAnyAborted(endingSignals(settings.signal));
  const child = new Popen(cmd, popenOptions(settings));
  const [stdout, stderr] = await toItsEnd(child, settings);
  const done = new CompletedProcess(child.args, child.returncode!, stdout, stderr);
  if (settings.check) done.checkReturncode();
  return done as CompletedProcess<RunOutput<O, 'stdout'>, RunOutput<O, 'stderr'>>;
}

/** Runs a program and gives its exit code. Like CPython's subprocess.call.
 *
 * @example
 * if ((await call(['test', '-f', path])) === 0) …
 */
export function call(args: string | readonly string[] | RunRequest, options: RunOptions = {}): Promise<number> {
  return withinTask(async () => (await run(args, options)).returncode);
}

/** Runs a program; throws CalledProcessError unless it gives 0. */
export function checkCall(args: string | readonly string[] | RunRequest, options: RunOptions = {}): Promise<number> {
  return withinTask(async () => {
    const [cmd, settings] = requested(args, options);
    return (await run(cmd, { ...settings, check: true })).returncode;
  });
}

/**
 * Runs a program and gives what it printed; CalledProcessError unless it gives 0. `stderr: STDOUT` joins both.
 *
 * @example
 * const head = await checkOutput(['git', 'rev-parse', 'HEAD'], { text: true });
 */
export function checkOutput<const O extends RunOptions>(
  args: string | readonly string[] | (O & RunRequest),
  options?: O,
): Promise<Output<O>> {
  return withinTask(async () => {
    const [cmd, settings] = requested<O>(args, options);
    refuse(settings, 'stdout');
    refuse(settings, 'check');
    return (await run(cmd, { ...settings, stdout: PIPE, check: true })).stdout as Output<O>;
  });
}

/** What a shell command prints, stderr included, without the last line end. Never with text from outside. */
export function getoutput(cmd: string, options: RunOptions = {}): Promise<string> {
  return withinTask(async () => (await getstatusoutput(cmd, options))[1]);
}

/** Exit code and output, stderr included and without the last line end, of a shell command. */
export function getstatusoutput(cmd: string, options: RunOptions = {}): Promise<[exitcode: number, output: string]> {
  return withinTask(async () => {
    const done = await run(cmd, { ...options, shell: true, text: true, stdout: PIPE, stderr: STDOUT });
    return [done.returncode, withoutLastNewline(done.stdout)];
  });
}

export function withoutLastNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** The streams that `input` and `captureOutput` stand for; refuses contradictions. */
export function popenOptions<O extends RunOptions>(options: O): O {
  const { input, captureOutput } = options;
  checkInput(input);
  if (input !== undefined) refuse(options, 'stdin', 'nothing, because input is given');
  if (captureOutput) {
    refuse(options, 'stdout', 'nothing, because captureOutput is set');
    refuse(options, 'stderr', 'nothing, because captureOutput is set');
  }
  return {
    ...options,
    ...(input !== undefined && { stdin: PIPE }),
    ...(captureOutput && { stdout: PIPE, stderr: PIPE }),
  };
}

/** What to run, and how: of one object, or of both; the second has the last word. */
export function requested<O extends object>(
  args: string | readonly string[] | (O & Pick<RunRequest, 'args'>),
  options: O | undefined,
): [args: string | readonly string[], options: O] {
  if (!isRequest(args)) return [args, (options ?? {}) as O];
  const { args: cmd, ...given } = args;
  return [cmd, { ...given, ...options } as unknown as O];
}

function isRequest<R extends object>(args: string | readonly string[] | R): args is R {
  return typeof args === 'object' && args !== null && !Array.isArray(args);
}

function refuse(options: RunOptions | undefined, name: keyof RunOptions, why = 'nothing here'): void {
  if (options?.[name] !== undefined) throw new InvalidArgumentError(name, options[name], why);
}

async function toItsEnd(child: Popen, options: RunOptions): Promise<[Captured, Captured]> {
  try {
    return await child.communicate({ timeout: options.timeout, input: options.input });
  } catch (error) {
    // Whatever went wrong, nothing is left running.
    const { escaped } = child.killed ?? child.kill();
    await child.ended;
    await child.drain();
    child.closePipes();
    if (!(error instanceof TimeoutExpired)) throw error;
    const [stdout, stderr] = child.partial();
    throw new TimeoutExpired(child.args, error.timeout!, { stdout, stderr, escaped });
  }
}
