import type { Readable, Writable } from 'node:stream';
import { constants } from 'node:os';
import { throwIfAborted } from '../base/deadline.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { endingSignals, throwIfAnyAborted, withinTask } from '../base/ending-signals.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { close, pipe } from '../os/descriptor.ts';
import { hasPosixSpawn } from '../os/spawn.ts';
import { CalledProcessError, TimeoutExpired } from './errors.ts';
import type { Captured } from './errors.ts';
import { PIPE } from './options.ts';
import type { StartOptions, Stdio } from './options.ts';
import type { CommunicateOptions, Output, PopenOptions } from './popen.ts';
import { Popen } from './popen.ts';
import { CompletedProcess, popenOptions } from './run.ts';
import type { RunOptions, RunOutput } from './run.ts';

/** One program of a pipeline: its arguments, or these with options of its own. */
export type Stage =
  | readonly string[]
  | ({ readonly args: string | readonly string[] } & Omit<StartOptions, 'stdin' | 'stdout'>);

/** How a pipeline is started. */
export interface PipelineOptions extends PopenOptions {
  /**
   * The pipeline's returncode is that of the last program that failed (true), or simply that of the last one. Death by
   * SIGPIPE of a program whose reader has ended (`seq 1000000 | head`) does not count, unlike in bash.
   */
  readonly pipefail?: boolean | undefined;
}

/**
 * Programs joined by pipes that the kernel carries: no byte between them passes through this process. `stdin` is the
 * first one's, `stdout` the last one's, `stderr` shared. Throws as Popen does, with nothing left running.
 *
 * @example
 * await using p = new Pipeline([['ls'], ['sort', '-r'], ['head', '-3']], { stdout: PIPE, text: true });
 * const [top] = await p.communicate();
 */
export class Pipeline<O extends PipelineOptions = PipelineOptions> implements AsyncDisposable, Disposable {
  readonly processes: readonly Popen<O>[];
  readonly #pipefail: boolean;

  constructor(stages: readonly Stage[], options?: O) {
    if (!Array.isArray(stages) || stages.length === 0)
      throw new InvalidArgumentError('stages', stages, 'at least one program with its arguments');
    for (const [i, stage] of stages.entries()) {
      if (typeof stage !== 'object' || stage === null)
        throw new InvalidArgumentError(`stages[${i}]`, stage, 'a program and its arguments, as ["ls", "-l"]');
    }
    throwIfAborted(options?.signal);
    this.#pipefail = options?.pipefail ?? true;
    this.processes = startAll(stages as readonly Stage[], options ?? ({} as O));
  }

  get stdin(): Writable | null {
    return this.processes[0]!.stdin;
  }

  get stdout(): Readable | null {
    return this.#last.stdout;
  }

  get returncodes(): (number | undefined)[] {
    return this.processes.map((child) => child.returncode);
  }

  /** `undefined` until all have ended; see `pipefail`. */
  get returncode(): number | undefined {
    const codes = this.returncodes;
    if (codes.includes(undefined)) return undefined;
    if (!this.#pipefail) return codes.at(-1);
    const quiet = (i: number) => i < codes.length - 1 && codes[i] === -constants.signals.SIGPIPE;
    return codes.findLast((code, i) => code !== 0 && !quiet(i)) ?? 0;
  }

  /** Waits until all have ended. TimeoutExpired and CancelledError leave them running. */
  wait(options: WaitOptions = {}): Promise<number> {
    return withinTask(async () => {
      await Promise.all(this.processes.map((child) => child.wait(options)));
      return this.returncode!;
    });
  }

  /** As Popen's: feeds the first, reads the last one's stdout and everybody's stderr. */
  communicate(
    options: CommunicateOptions = {},
  ): Promise<[stdout: Output<O> | undefined, stderr: Output<O> | undefined]> {
    return withinTask(async () => {
      checkOptions(options);
      const { input, ...wait } = options;
      const results = await Promise.all(
        this.processes.map((child, i) => child.communicate(i === 0 && input !== undefined ? options : wait)),
      );
      return [results.at(-1)![0], joined(results.map(([, stderr]) => stderr)) as Output<O> | undefined];
    });
  }

  /** Kills all of them with their descendants. */
  kill(): void {
    for (const child of this.processes) child.kill();
  }

  [Symbol.dispose](): void {
    for (const child of this.processes) child[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.processes.map((child) => child[Symbol.asyncDispose]()));
  }

  get #last(): Popen<O> {
    return this.processes.at(-1)!;
  }
}

/** How a pipeline is run to its end. */
export interface RunPipelineOptions extends RunOptions, PipelineOptions {}

/** A pipeline that has ended; `returncode` obeys `pipefail`, `returncodes` has all. */
export class CompletedPipeline<Out extends Captured, Err extends Captured> extends CompletedProcess<Out, Err> {
  readonly returncodes: readonly number[];

  constructor(args: readonly string[], returncode: number, returncodes: readonly number[], stdout: Out, stderr: Err) {
    super(args, returncode, stdout, stderr);
    this.returncodes = returncodes;
  }
}

/**
 * Runs a pipeline to its end, as `run` does one program: same options, same errors.
 *
 * @example
 * const { stdout } = await runPipeline([['ls'], ['sort'], ['head', '-1']], { captureOutput: true, text: true });
 */
export function runPipeline<const O extends RunPipelineOptions>(
  stages: readonly Stage[],
  options?: O,
): Promise<CompletedPipeline<RunOutput<O, 'stdout'>, RunOutput<O, 'stderr'>>> {
  return withinTask(() => runToItsEnd(stages, options));
}

async function runToItsEnd<const O extends RunPipelineOptions>(
  stages: readonly Stage[],
  options?: O,
): Promise<CompletedPipeline<RunOutput<O, 'stdout'>, RunOutput<O, 'stderr'>>> {
  const settings = popenOptions((options ?? {}) as O);
  throwIfAnyAborted(endingSignals(settings.signal));
  const line = new Pipeline(stages, settings);
  const args = line.processes.flatMap((child, i) => (i === 0 ? child.args : ['|', ...child.args]));
  let output: [Captured, Captured];
  try {
    output = await line.communicate({ timeout: settings.timeout, input: settings.input });
  } catch (error) {
    throw await abandoned(line, args, error);
  }
  const codes = line.returncodes as number[];
  const done = new CompletedPipeline(args, line.returncode!, codes, output[0], output[1]);
  if (settings.check && done.returncode !== 0) throw new CalledProcessError(done.returncode, args, ...output);
  return done as CompletedPipeline<RunOutput<O, 'stdout'>, RunOutput<O, 'stderr'>>;
}

async function abandoned(line: Pipeline, args: readonly string[], error: unknown): Promise<unknown> {
  line.kill();
  await Promise.all(line.processes.map((child) => child.ended));
  await Promise.all(line.processes.map((child) => child.drain()));
  for (const child of line.processes) child.closePipes();
  if (!(error instanceof TimeoutExpired)) return error;
  const escaped = [...new Set(line.processes.flatMap((child) => child.killed?.escaped ?? []))];
  const stdout = line.processes.at(-1)!.partial()[0];
  const stderr = joined(line.processes.map((child) => child.partial()[1]));
  return new TimeoutExpired(args, error.timeout!, { stdout, stderr, escaped });
}

function joined(parts: readonly Captured[]): Captured {
  const present = parts.filter((part) => part !== undefined);
  if (present.length === 0) return undefined;
  return typeof present[0] === 'string' ? present.join('') : Buffer.concat(present as Buffer[]);
}

function isSettings(stage: Stage): stage is Exclude<Stage, readonly string[]> {
  return !Array.isArray(stage);
}

function startAll<O extends PipelineOptions>(stages: readonly Stage[], options: O): Popen<O>[] {
  const started: Popen<O>[] = [];
  const join = options.launcher !== 'node' && hasPosixSpawn() ? joinByPipe : joinBySocket;
  let stdin: Stdio = options.stdin;
  let release = (): void => {};
  try {
    for (const [i, stage] of stages.entries()) {
      const { args, ...own } = isSettings(stage) ? stage : { args: stage };
      const last = i === stages.length - 1;
      const link = last ? undefined : join();
      try {
        const child = new Popen<O>(args, { ...options, ...own, stdin, stdout: last ? options.stdout : link!.stdout });
        started.push(child);
        release();
        stdin = link?.stdin(child);
        release = link?.release ?? (() => {});
      } catch (error) {
        link?.abandon();
        throw error;
      } finally {
        link?.given();
      }
    }
    return started;
  } catch (error) {
    release();
    for (const child of started) child[Symbol.dispose]();
    throw error;
  }
}

/** What joins two programs: the writing end for the first, the reading one for the second. */
interface Link {
  readonly stdout: number;
  stdin: (child: Popen) => Stdio;
  /** The first program has (or has failed to take) its end. */
  given: () => void;
  /** The second program has its end. */
  release: () => void;
  /** The first program could not be started. */
  abandon: () => void;
}

function joinByPipe(): Link {
  const [r, w] = pipe();
  return {
    stdout: w,
    stdin: () => r,
    given: () => close(w),
    release: () => close(r),
    abandon: () => close(r),
  };
}

// Without libc there is no pipe to make: the first one's own (a socket pair) is handed on and let go here.
function joinBySocket(): Link {
  let between: Readable | null = null;
  return {
    stdout: PIPE,
    stdin: (child) => (between = child.stdout) ?? undefined,
    given: () => {},
    release: () => between?.destroy(),
    abandon: () => {},
  };
}
