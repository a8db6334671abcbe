import { uptime } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { realClock } from '../base/clock.ts';
import { onAbort } from '../base/abort.ts';
import { cancelledBy, throwIfAborted, within } from '../base/deadline.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { deferred } from '../base/deferred.ts';
import { endings, throwIfAnyAborted, withinTask } from '../base/ending-signals.ts';
import { BrokenError, FullError, InvalidArgumentError, InvalidStateError, TimeoutError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { registerAtFork } from '../os/at-fork.ts';
import { kill, signalNumber } from '../os/process-ids.ts';
import { Collector } from './collect.ts';
import { TimeoutExpired } from './errors.ts';
import type { Captured } from './errors.ts';
import { checkInput, feed } from './feed.ts';
import type { Feed, Input } from './feed.ts';
import { chooseLauncher } from './choose-launcher.ts';
import type { Launched } from './launcher.ts';
import type { LineOptions } from './lines.ts';
import { lines } from './lines.ts';
import type { StartOptions, StartPlan } from './options.ts';
import { planStart } from './options.ts';
import { decodeText, textDecoder, textEncoder, wantsText } from './text.ts';
import type { TextOptions } from './text.ts';
import { killTree } from './tree.ts';
import type { KilledTree } from './tree.ts';

/** How a program is started and its output kept. */
export interface PopenOptions extends StartOptions, TextOptions {
  /** Bytes kept of each captured stream before the program is killed and FullError thrown (64 MiB). */
  readonly maxBuffer?: number | undefined;
  /** Aborting it kills the program and its descendants; waits reject with CancelledError. */
  readonly signal?: AbortSignal | undefined;
}

/** Strings where text was asked for, else Buffers. */
export type Output<O> = O extends { text: true } | { encoding: string } | { errors: string } ? string : Buffer;

/** What `communicate` takes. */
export interface CommunicateOptions extends WaitOptions {
  readonly input?: Input | undefined;
}

/**
 * A running program. For more than running it to its end, which `run` does. Throws SystemError at once if it cannot be
 * started: ENOENT, EACCES, E2BIG…, naming program or directory. Children are reaped by themselves; while one runs it
 * keeps the event loop alive. Disposing of it (`await using`) kills what still runs. Named after CPython's subprocess.
 *
 * @example
 * await using child = new Popen(['sort'], { stdin: PIPE, stdout: PIPE, text: true });
 * const [sorted] = await child.communicate({ input: 'b\na\n' });
 */
export class Popen<O extends PopenOptions = PopenOptions> implements AsyncDisposable, Disposable {
  readonly args: readonly string[];
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** What the last kill found; `undefined` before. */
  killed: KilledTree | undefined;
  readonly #plan: StartPlan;
  readonly #options: PopenOptions;
  readonly #child: Launched;
  readonly #exit = deferred<number>();
  #returncode: number | undefined;
  #collectors: { stdout: Collector | undefined; stderr: Collector | undefined } | undefined;
  #feeding: Feed | undefined;
  readonly #killing = deferred();
  #stopListening = (): void => {};
  readonly #launched = realClock.now();
  #failure: Error | undefined;
  // Somebody else's child, or reaped by somebody else: nothing is sent to its number.
  #gone = false;

  constructor(args: string | readonly string[], options?: O) {
    this.#options = options ?? {};
    throwIfAborted(this.#options.signal);
    checkOptions(this.#options);
    checkPopenOptions(this.#options);
    const launcher = chooseLauncher(this.#options.launcher);
    this.#plan = planStart(args, this.#options, launcher.verifyProgram);
    this.args = this.#plan.cmd;
    this.#child = launcher.launch(this.#plan);
    this.pid = this.#child.pid;
    this.stdin = this.#child.stdin;
    this.stdout = this.#child.stdout;
    this.stderr = this.#child.stderr;
    this.#exit.promise.catch(() => {}); // told to those who wait
    running.add(this);
    this.#stopListening = onAbort(this.#options.signal, () => this.#abort());
    for (const pipe of this.#outputs) pipe.once('close', () => this.#settled());
    this.#child.onExit((code) => this.#ended(code));
  }

  /** The exit code, -N for death by signal N; `undefined` while it runs, or until that was noticed (`poll`). */
  get returncode(): number | undefined {
    return this.#returncode;
  }

  /** Looks whether it has ended; its returncode, or `undefined`. */
  poll(): number | undefined {
    this.#child.poll();
    return this.#returncode;
  }

  /** Waits for its end; TimeoutExpired or CancelledError leave it running. A full pipe nobody reads keeps it from ending. */
  wait(options: WaitOptions = {}): Promise<number> {
    return withinTask(() => this.#wait(options), this.#label);
  }

  async #wait(options: WaitOptions): Promise<number> {
    const bounds = boundsOf(options);
    throwIfAnyAborted(bounds.signals);
    try {
      const code = this.#returncode ?? (await within(this.#exit.promise, bounds));
      if (this.#failure !== undefined) throw this.#failure;
      return code;
    } catch (error) {
      throw this.#expired(error, options);
    }
  }

  /**
   * Feeds `input`, closes stdin, reads stdout and stderr to their ends and waits for the exit. After TimeoutExpired
   * (what came so far is in it) it runs on, and `communicate` may be called again without losing anything. Streams that
   * are not PIPE give `undefined`. FullError beyond `maxBuffer`.
   */
  communicate(
    options: CommunicateOptions = {},
  ): Promise<[stdout: Output<O> | undefined, stderr: Output<O> | undefined]> {
    return withinTask(() => this.#communicate(options), this.#label);
  }

  async #communicate(
    options: CommunicateOptions,
  ): Promise<[stdout: Output<O> | undefined, stderr: Output<O> | undefined]> {
    const bounds = boundsOf(options);
    throwIfAnyAborted(bounds.signals);
    checkInput(options.input);
    if (options.input !== undefined && (this.#feeding !== undefined || this.stdin === null)) {
      throw this.stdin === null
        ? new InvalidArgumentError('input', options.input, 'nothing, because stdin is not PIPE')
        : new InvalidStateError('input was already given to an earlier communicate');
    }
    this.#collect();
    if (this.stdin !== null) this.#feeding ??= feed(this.stdin, options.input, textEncoder(this.#options));
    // What has ended reads no more, however long the source would go on.
    void this.#exit.promise.then(this.#stopFeeding, this.#stopFeeding);
    try {
      await within(this.#finished(), bounds);
    } catch (error) {
      throw this.#expired(error, options);
    }
    const [stdout, stderr] = this.captured();
    return [stdout as Output<O> | undefined, stderr as Output<O> | undefined];
  }

  /** What `communicate` has read so far. */
  captured(): [stdout: Captured, stderr: Captured] {
    return [this.#output(this.#collectors?.stdout), this.#output(this.#collectors?.stderr)];
  }

  /** stdout by line, holding the program back meanwhile (see `lines`). */
  lines(options: LineOptions = {}): AsyncGenerator<string, void, undefined> {
    checkOptions(options);
    if (this.stdout === null) throw new InvalidStateError('stdout is not PIPE, so it has no lines');
    return lines(this.stdout, { ...definedText(this.#options), ...options });
  }

  /** Sends a signal to the program itself; nothing happens if it has ended. SystemError EINVAL, EPERM. */
  sendSignal(signal: number | NodeJS.Signals): void {
    signalNumber(signal);
    if (this.poll() === undefined && !this.#gone) sendTo(this.pid, signal);
  }

  /** Asks the program itself to end (SIGTERM). */
  terminate(): void {
    this.sendSignal('SIGTERM');
  }

  /** Ends it and all its descendants (SIGKILL); `{ tree: false }` the program only. Tells what was found. */
  kill(options: { tree?: boolean; signal?: NodeJS.Signals } = {}): KilledTree {
    checkOptions(options);
    const { tree = true, signal = 'SIGKILL' } = options;
    signalNumber(signal);
    if (!tree) {
      this.sendSignal(signal);
      return { pids: [this.pid], escaped: [] };
    }
    const alive = this.poll() === undefined;
    // Its number may be a stranger's by now, or it is the program of the process that forked this one.
    if (this.#gone) return { pids: [], escaped: [] };
    this.killed = killTree(
      { pid: this.pid, alive, cookie: this.#plan.cookie, leadsGroup: this.#leadsGroup(), start: this.#start },
      signal,
    );
    this.#killing.resolve();
    return this.killed;
  }

  /** Keeps the event loop alive until it ends (the default). */
  ref(): this {
    this.#child.ref();
    return this;
  }

  unref(): this {
    this.#child.unref();
    return this;
  }

  /** Kills what still runs and closes the pipes, without waiting. */
  [Symbol.dispose](): void {
    if (this.poll() === undefined && !this.#gone) this.kill();
    this.closePipes();
  }

  /** Kills what still runs, closes the pipes and waits until it has been reaped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.ended;
  }

  /** @internal Gives up reading and writing. */
  closePipes(): void {
    this.stdin?.on('error', () => {}).destroy();
    this.stdout?.destroy();
    this.stderr?.destroy();
  }

  /** @internal Settles, without throwing, when it has ended. */
  get ended(): Promise<unknown> {
    return this.#exit.promise.catch(() => {});
  }

  /** @internal In a forked child: it is the parent's program, which only that may wait for and end. */
  disown(): void {
    if (this.#returncode === undefined) this.#lost('is the child of the process that forked this one');
  }

  get #label(): string {
    return `the end of ${this.args[0]} (process ${this.pid})`;
  }

  #abort(): void {
    this.#failure ??= cancelledBy(this.#options.signal!);
    this.kill();
  }

  readonly #stopFeeding = (): void => this.#feeding?.stop();

  // In clock ticks since boot, of which Linux counts a hundred a second; a little too early rather than too late.
  get #start(): number {
    return Math.floor((uptime() - (realClock.now() - this.#launched)) * 100) - 3;
  }

  #leadsGroup(): boolean {
    return this.#options.startNewSession === true || this.#options.processGroup === 0;
  }

  #ended(code: number | 'gone'): void {
    if (this.#gone) return;
    running.delete(this);
    if (code === 'gone') {
      this.#lost('was waited for by somebody else');
      return;
    }
    this.#returncode = code;
    this.#settled();
    this.#exit.resolve(code);
  }

  // A descendant may hold the pipes open when the program itself has ended: until then aborting has something to end.
  #settled(): void {
    if (this.#returncode !== undefined && this.#outputs.every((pipe) => pipe.closed)) this.#stopListening();
  }

  get #outputs(): Readable[] {
    return [this.stdout, this.stderr].filter((pipe) => pipe !== null);
  }

  #lost(why: string): void {
    this.#gone = true;
    this.#stopListening();
    this.#failure ??= new BrokenError(`process ${this.pid} ${why}: its exit status is not known here`);
    this.#exit.reject(this.#failure);
  }

  #collect(): void {
    const limit = this.#options.maxBuffer ?? 64 * 2 ** 20;
    const collector = (name: 'stdout' | 'stderr') =>
      this[name] === null ? undefined : new Collector(this[name], limit, () => this.#overflow(name, limit));
    this.#collectors ??= { stdout: collector('stdout'), stderr: collector('stderr') };
  }

  #overflow(name: string, limit: number): void {
    this.#failure ??= new FullError(`${name} of ${this.args[0]} exceeded maxBuffer (${limit} bytes)`);
    this.kill();
  }

  async #finished(): Promise<void> {
    const { stdout, stderr } = this.#collectors!;
    const all = Promise.all([this.#feeding?.done, stdout?.done, stderr?.done, this.#exit.promise]);
    await Promise.race([all, this.#letGo()]);
    const failure = this.#failure ?? stdout?.error ?? stderr?.error;
    if (failure !== undefined) throw failure;
  }

  // After a kill an escaped descendant may hold the pipes open for ever: what is there is read, then they are closed.
  async #letGo(): Promise<void> {
    await this.#killing.promise;
    await this.ended;
    await this.drain();
  }

  /** @internal Waits, after a kill, for what the pipes still hold; a moment at most. */
  async drain(seconds = 0.25): Promise<void> {
    const { stdout, stderr } = this.#collectors ?? {};
    await new Promise<void>((resolve) => {
      const timer = realClock.setTimer(seconds, resolve);
      void Promise.all([stdout?.done, stderr?.done]).then(() => {
        timer.cancel();
        resolve();
      });
    });
    stdout?.stop();
    stderr?.stop();
  }

  #expired(error: unknown, { timeout }: WaitOptions): unknown {
    if (!(error instanceof TimeoutError) || timeout === undefined || error instanceof TimeoutExpired) return error;
    const [stdout, stderr] = this.partial();
    return new TimeoutExpired(this.args, timeout, { stdout, stderr });
  }

  /** @internal What came until it was cut off, maybe within a character. */
  partial(): [stdout: Captured, stderr: Captured] {
    return [this.#output(this.#collectors?.stdout, 'replace'), this.#output(this.#collectors?.stderr, 'replace')];
  }

  #output(collector: Collector | undefined, errors = this.#options.errors): Captured {
    if (collector === undefined) return undefined;
    return wantsText(this.#options) ? decodeText(collector.bytes, { ...this.#options, errors }) : collector.bytes;
  }
}

function sendTo(pid: number, signal: number | NodeJS.Signals): void {
  try {
    kill(pid, signal);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error;
  }
}

function checkPopenOptions(options: PopenOptions): void {
  if (wantsText(options)) textDecoder(options);
  const { maxBuffer, signal } = options;
  if (maxBuffer !== undefined && !(typeof maxBuffer === 'number' && maxBuffer >= 0))
    throw new InvalidArgumentError('maxBuffer', maxBuffer, 'a number of bytes, 0 or more, or Infinity');
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError('signal', signal, 'an AbortSignal');
}

function boundsOf(options: WaitOptions): { timeout: number | undefined; signals: readonly AbortSignal[] } {
  checkOptions(options);
  return endings(options);
}

const running = new Set<Popen>();
registerAtFork({
  afterInChild: () => {
    for (const child of running) child.disown();
    running.clear();
  },
});

function definedText({ encoding, errors }: TextOptions): LineOptions {
  return { ...(encoding !== undefined && { encoding }), ...(errors !== undefined && { errors }) };
}
