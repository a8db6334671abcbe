import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from '../../../src/base/deadline.ts';

const patience = 30;

/** A fixture program under test: its lines of JSON are read one by one; killed at disposal. */
export class Program implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly exited: Promise<number | string>;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  /** `wrapper` is a command that runs the command given to it as arguments. */
  constructor(name: string, args: readonly unknown[], options: SpawnOptions = {}, wrapper: readonly string[] = []) {
    const file = fileURLToPath(new URL(`./fixtures/${name}.js`, import.meta.url));
    const [command, ...rest] = [...wrapper, process.execPath, file, ...args.map(String)];
    this.process = spawn(command!, rest, { ...options, stdio: 'pipe' });
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.exited = once(this.process, 'close').then(([code, signal]) => (signal ?? code) as number | string);
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  /** The next line, decoded; fails with what the program wrote to stderr if it has ended. */
  async next<T = unknown>(): Promise<T> {
    const line = await within(this.#lines.next(), { timeout: patience, what: 'a line of the program' });
    if (line.done === true) throw new Error(`the program ended: ${this.#errors}`);
    return JSON.parse(line.value) as T;
  }

  /** All lines until the program ends. */
  async rest<T = unknown>(): Promise<T[]> {
    const lines: T[] = [];
    for (let line = await this.#lines.next(); line.done !== true; line = await this.#lines.next()) {
      lines.push(JSON.parse(line.value) as T);
    }
    return lines;
  }

  /** Lets a program go on that blocks on its input. */
  proceed(): void {
    this.process.stdin!.write('\n');
  }

  /** Its exit code or signal. */
  end(): Promise<number | string> {
    return within(this.exited, { timeout: patience, what: 'the end of the program' });
  }

  get errors(): string {
    return this.#errors;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }
}
