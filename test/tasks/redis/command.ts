import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));
const app = fileURLToPath(new URL('./fixtures/app.js', import.meta.url));

/** Any other `simul` command, to its end. */
export function simul(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  );
}

/** A `simul worker` of the fixture's app; killed at disposal. */
export class WorkerCommand implements AsyncDisposable {
  readonly process: ChildProcess;
  /** What it has written to standard error. */
  said = '';
  readonly #closed: Promise<unknown>;
  #heard: () => void = () => {};

  constructor(url: string, ...flags: string[]) {
    const args = [main, 'worker', '-A', app, '-b', url, '-l', 'warning', ...flags];
    this.process = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
      this.#heard();
    });
    this.#closed = once(this.process, 'close').finally(() => this.#heard());
  }

  /** Resolves once it has said this; rejects if it ends before. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.said)) {
      if (this.#ended !== null) throw new Error(`it ended (${this.#ended}) before ${pattern}:\n${this.said}`);
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  /** Its exit code or signal, once it has ended; a signal is sent to it before. */
  async end(signal?: NodeJS.Signals): Promise<number | string> {
    if (signal !== undefined) this.process.kill(signal);
    await this.#closed;
    return this.#ended!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#closed;
  }

  get #ended(): number | string | null {
    return this.process.exitCode ?? this.process.signalCode;
  }
}
