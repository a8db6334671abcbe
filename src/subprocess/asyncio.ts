import type { Readable, Writable } from 'node:stream';
import type { WaitOptions } from '../base/deadline.ts';
import type { CommunicateOptions, PopenOptions } from './popen.ts';
import { Popen } from './popen.ts';

/** How a layer above dresses the pipes, as asyncio's StreamReader and StreamWriter; by default they stay Node streams. */
export interface StreamFaces<Reader, Writer> {
  reader(stream: Readable): Reader;
  writer(stream: Writable): Writer;
}

const nodeStreams: StreamFaces<Readable, Writable> = { reader: (stream) => stream, writer: (stream) => stream };

/** A program started by `createSubprocessExec` or `createSubprocessShell`; asyncio's Process. */
export class SubprocessProcess<Reader = Readable, Writer = Writable> implements AsyncDisposable {
  readonly stdin: Writer | null;
  readonly stdout: Reader | null;
  readonly stderr: Reader | null;
  readonly #child: Popen;

  constructor(child: Popen, faces: StreamFaces<Reader, Writer>) {
    this.#child = child;
    this.stdin = child.stdin === null ? null : faces.writer(child.stdin);
    this.stdout = child.stdout === null ? null : faces.reader(child.stdout);
    this.stderr = child.stderr === null ? null : faces.reader(child.stderr);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** -N for death by signal N; `undefined` while it runs. */
  get returncode(): number | undefined {
    return this.#child.returncode;
  }

  wait(options: WaitOptions = {}): Promise<number> {
    return this.#child.wait(options);
  }

  /** Feeds, reads to the end and waits. When given up (timeout, abort) it runs on. */
  communicate(options: CommunicateOptions = {}): Promise<[stdout: Buffer | undefined, stderr: Buffer | undefined]> {
    return this.#child.communicate(options);
  }

  sendSignal(signal: number | NodeJS.Signals): void {
    this.#child.sendSignal(signal);
  }

  terminate(): void {
    this.#child.terminate();
  }

  /** Ends it with all its descendants. */
  kill(): void {
    this.#child.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}

export type SubprocessOptions = Omit<PopenOptions, 'text' | 'encoding' | 'errors' | 'shell'>;

/**
 * Starts a program, for asyncio: streams are PIPE only where asked for, bytes throughout. SystemError if it cannot be
 * started.
 *
 * @example
 * const child = await createSubprocessExec(['date'], { stdout: PIPE });
 * const [out] = await child.communicate();
 */
export async function createSubprocessExec<Reader = Readable, Writer = Writable>(
  args: readonly string[],
  options: SubprocessOptions = {},
  faces: StreamFaces<Reader, Writer> = nodeStreams as unknown as StreamFaces<Reader, Writer>,
): Promise<SubprocessProcess<Reader, Writer>> {
  return new SubprocessProcess(new Popen(args, options), faces);
}

/** Starts a shell command; never one with text from outside. */
export async function createSubprocessShell<Reader = Readable, Writer = Writable>(
  cmd: string,
  options: SubprocessOptions = {},
  faces: StreamFaces<Reader, Writer> = nodeStreams as unknown as StreamFaces<Reader, Writer>,
): Promise<SubprocessProcess<Reader, Writer>> {
  return new SubprocessProcess(new Popen(cmd, { ...options, shell: true }), faces);
}
