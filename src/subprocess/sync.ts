import type { SpawnSyncOptions } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { uptime } from 'node:os';
import { Deadline } from '../base/deadline.ts';
import { FullError, InvalidArgumentError } from '../base/errors.ts';
import { close } from '../os/descriptor.ts';
import { reap } from '../os/reap.ts';
import { hasPosixSpawn } from '../os/spawn.ts';
import { waitstatusToExitcode } from '../os/wait-status.ts';
import { TimeoutExpired } from './errors.ts';
import { nodeSpawnArguments, returncodeOf, spawnError } from './launch-node.ts';
import { startPosix } from './launch-posix.ts';
import type { StartPlan } from './options.ts';
import { PIPE, planStart, STDOUT } from './options.ts';
import type { Output, PopenOptions } from './popen.ts';
import { CompletedProcess, popenOptions, requested, withoutLastNewline } from './run.ts';
import type { RunOutput } from './run.ts';
import { Exchange } from './sync-exchange.ts';
import { decodeText, textEncoder, wantsText } from './text.ts';
import { killTree } from './tree.ts';

/** As RunOptions, for the blocking twins: nothing that needs the event loop. */
export interface RunSyncOptions extends Omit<PopenOptions, 'signal'> {
  readonly input?: string | Uint8Array | undefined;
  readonly captureOutput?: boolean | undefined;
  readonly check?: boolean | undefined;
  readonly timeout?: number | undefined;
}

/** What `runSync` takes as one object. */
export interface RunSyncRequest extends RunSyncOptions {
  readonly args: string | readonly string[];
}

/**
 * As `run`, blocking this thread: for scripts, threads and child processes that have nothing else to do meanwhile.
 * Where posix_spawn cannot be called, Node's spawnSync stands in.
 *
 * @example
 * const { stdout } = runSync(['uname', '-r'], { captureOutput: true, text: true });
 */
export function runSync<const O extends RunSyncOptions>(
  args: string | readonly string[] | (O & RunSyncRequest),
  options?: O,
): CompletedProcess<RunOutput<O, 'stdout'>, RunOutput<O, 'stderr'>> {
  const [cmd, given] = requested<O>(args, options);
  const settings = popenOptions(given);
  if (given.input !== undefined && typeof given.input !== 'string' && !((given.input as unknown) instanceof Uint8Array))
    throw new InvalidArgumentError('input', given.input, 'a string or bytes; streams need the event loop, so use run');
  const input = typeof given.input === 'string' ? textEncoder(settings)(given.input) : given.input;
  const plan = planStart(cmd, settings);
  const useNode = settings.launcher === 'node' || !hasPosixSpawn();
  const { returncode, stdout, stderr } = useNode
    ? nodeRun(plan, { ...settings, input })
    : posixRun(plan, { ...settings, input });
  const done = new CompletedProcess(plan.cmd, returncode, text(stdout, settings), text(stderr, settings));
  if (settings.check) done.checkReturncode();
  return done as CompletedProcess<RunOutput<O, 'stdout'>, RunOutput<O, 'stderr'>>;
}

/** As `call`, blocking this thread. */
export function callSync(args: string | readonly string[] | RunSyncRequest, options: RunSyncOptions = {}): number {
  return runSync(args, options).returncode;
}

/** As `checkCall`, blocking this thread. */
export function checkCallSync(args: string | readonly string[] | RunSyncRequest, options: RunSyncOptions = {}): number {
  return runSync<RunSyncOptions>(args, { ...options, check: true }).returncode;
}

/** As `checkOutput`, blocking this thread. */
export function checkOutputSync<const O extends RunSyncOptions>(
  args: string | readonly string[] | (O & RunSyncRequest),
  options?: O,
): Output<O> {
  return runSync<RunSyncOptions>(args, { ...options, stdout: PIPE, check: true }).stdout as Output<O>;
}

/** As `getoutput`, blocking this thread. */
export function getoutputSync(cmd: string, options: RunSyncOptions = {}): string {
  return getstatusoutputSync(cmd, options)[1];
}

/** As `getstatusoutput`, blocking this thread. */
export function getstatusoutputSync(cmd: string, options: RunSyncOptions = {}): [exitcode: number, output: string] {
  const done = runSync(cmd, { ...options, shell: true, text: true, stdout: PIPE, stderr: STDOUT });
  return [done.returncode, withoutLastNewline(done.stdout)];
}

interface Result {
  readonly returncode: number;
  readonly stdout: Buffer | undefined;
  readonly stderr: Buffer | undefined;
}

const defaultMaxBuffer = 64 * 2 ** 20;

function posixRun(plan: StartPlan, options: RunSyncOptions): Result {
  const deadline = Deadline.after(options.timeout);
  const started = performance.now();
  const { pid, pidfd, ours } = startPosix(plan);
  const exchange = new Exchange(ours, options.input, options.maxBuffer ?? defaultMaxBuffer, pidfd);
  try {
    const why = exchange.run(deadline);
    if (why === 'done') return { returncode: ended(pid), ...exchange.output };
    const { escaped } = killTree(
      { pid, alive: true, cookie: plan.cookie, leadsGroup: leadsGroup(options), start: startTicks(started) },
      'SIGKILL',
    );
    ended(pid);
    exchange.rest();
    if (why === 'full') throw new FullError(`output of ${plan.cmd[0]} exceeded maxBuffer`);
    throw expired(plan, options, exchange.output, escaped);
  } finally {
    exchange.close();
    close(pidfd);
  }
}

function ended(pid: number): number {
  const status = reap(pid, 0);
  return typeof status === 'number' ? waitstatusToExitcode(status) : 255;
}

function startTicks(started: number): number {
  return Math.floor((uptime() - (performance.now() - started) / 1000) * 100) - 3;
}

function nodeRun(plan: StartPlan, options: RunSyncOptions): Result {
  const [program, args, spawnOptions] = nodeSpawnArguments(plan);
  const root = { cookie: plan.cookie, leadsGroup: leadsGroup(options), start: startTicks(performance.now()) };
  const result = spawnSync(program, args, {
    ...(spawnOptions as SpawnSyncOptions),
    ...(options.input !== undefined && { input: options.input }),
    ...(options.timeout !== undefined && {
      timeout: Math.max(1, Math.ceil(options.timeout * 1000)),
      killSignal: 'SIGKILL',
    }),
    maxBuffer: options.maxBuffer ?? defaultMaxBuffer,
  });
  const output = { stdout: asked(result.stdout as Buffer | null), stderr: asked(result.stderr as Buffer | null) };
  const code = (result as { error?: NodeJS.ErrnoException }).error?.code;
  // Node has killed the program only; its descendants still carry the mark.
  if (code === 'ETIMEDOUT' || code === 'ENOBUFS') killTree({ ...root, pid: result.pid, alive: false }, 'SIGKILL');
  if (code === 'ETIMEDOUT') throw expired(plan, options, output, []);
  if (code === 'ENOBUFS') throw new FullError(`output of ${plan.cmd[0]} exceeded maxBuffer`);
  if (result.error !== undefined && result.pid === 0) throw spawnError(result.error, plan.path);
  return { returncode: returncodeOf(result.status, result.signal) ?? 255, ...output };
}

function asked(bytes: Buffer | null): Buffer | undefined {
  return bytes ?? undefined;
}

function expired(
  plan: StartPlan,
  options: RunSyncOptions,
  output: Omit<Result, 'returncode'>,
  escaped: readonly number[],
): TimeoutExpired {
  const lenient = { ...options, errors: wantsText(options) ? ('replace' as const) : undefined };
  return new TimeoutExpired(plan.cmd, options.timeout!, {
    stdout: text(output.stdout, lenient),
    stderr: text(output.stderr, lenient),
    escaped,
  });
}

function leadsGroup(options: RunSyncOptions): boolean {
  return options.startNewSession === true || options.processGroup === 0;
}

function text(bytes: Buffer | undefined, options: RunSyncOptions): string | Buffer | undefined {
  return bytes !== undefined && wantsText(options) ? decodeText(bytes, options) : bytes;
}
