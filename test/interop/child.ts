import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { deferred } from '../../src/base/deferred.ts';

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program in a process group of its own, with all it prints. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  output = '';
  readonly #name: string;
  #waiting: { text: RegExp; found: () => void }[] = [];

  constructor(options: ChildOptions) {
    this.#name = `${options.command} ${options.args.join(' ')}`;
    this.process = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    // Writing to one that has just ended is told by its end.
    this.process.stdin!.on('error', () => {});
    const exited = deferred();
    this.process.once('close', () => exited.resolve());
    this.process.once('error', (error) => {
      this.#add(error.message);
      exited.resolve();
    });
    this.ended = exited.promise;
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => this.#add(text));
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Standard output into what is searched, too. */
  withOutput(): this {
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => this.#add(text));
    return this;
  }

  /** Resolves once it has printed this; throws if it ends before. */
  async printed(text: RegExp): Promise<void> {
    const found = deferred<true>();
    this.#waiting.push({ text, found: () => found.resolve(true) });
    this.#look();
    const seen = await Promise.race([found.promise, this.ended.then(() => false)]);
    if (!seen && !text.test(this.output)) throw new Error(`${this.#name} ended before ${text}:\n${this.output}`);
  }

  /** SIGKILL for all of its processes: nothing in it can clean up. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.ended;
  }

  /** SIGTERM, and SIGKILL after ten seconds. */
  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
    const impatient = setTimeout(() => this.#signal('SIGKILL'), 10_000);
    await this.ended;
    clearTimeout(impatient);
    // Whatever of its group it left behind.
    this.#signal('SIGKILL');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #add(text: string): void {
    this.output += text;
    this.#look();
  }

  #look(): void {
    for (const one of this.#waiting) if (one.text.test(this.output)) one.found();
    this.#waiting = this.#waiting.filter((one) => !one.text.test(this.output));
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group has gone.
    }
  }
}
