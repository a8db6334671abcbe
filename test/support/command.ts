import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const main = new URL('../../src/cli/main.js', import.meta.url).pathname;
const entry = new URL('../../src/entry/index.js', import.meta.url).href;

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory of a test's own with files in it; `{{simul}}` in a file stands for the package under test. */
export class Workspace implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'simul-cli-'));
  /** The path of the command line's program, for `start`. */
  readonly program = main;
  readonly #running = new Set<ChildProcess>();

  constructor() {
    // Transformed TypeScript is cached in here, and goes with it.
    mkdirSync(join(this.path, 'node_modules'));
  }

  write(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text.replaceAll('{{simul}}', entry));
    return path;
  }

  /** Runs `simul` to its end. */
  async simul(...args: string[]): Promise<Ended> {
    return this.start([main, ...args]).ended;
  }

  /** Starts `node` with these arguments in the directory. */
  start(args: readonly string[]): Running {
    const child = spawn(process.execPath, args, { cwd: this.path, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(child);
    void once(child, 'exit').then(() => this.#running.delete(child));
    return new Running(child);
  }

  /** Starts `simul worker` and resolves when it takes tasks. */
  async worker(...args: string[]): Promise<Running> {
    const worker = this.start([main, 'worker', ...args]);
    await worker.says(/: ready\n/);
    return worker;
  }

  [Symbol.dispose](): void {
    for (const child of this.#running) child.kill('SIGKILL');
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A program under way, with what it has said so far. */
export class Running {
  readonly ended: Promise<Ended>;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid!;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#heard((this.stdout += text)));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => this.#heard((this.stderr += text)));
    this.ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
      this.#heard('');
      return { code: code as number | null, signal: signal as string | null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a reader that has seen enough: what the program writes from now on meets a closed pipe. */
  closeOutput(): void {
    this.#child.stdout!.destroy();
  }

  /** Resolves when either output matches; rejects if the program ends without having said so. */
  async says(pattern: RegExp): Promise<void> {
    const matches = () => pattern.test(this.stdout) || pattern.test(this.stderr);
    let over = false;
    void this.ended.then(() => (over = true));
    while (!matches()) {
      if (over) throw new Error(`ended without saying ${String(pattern)}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        const once = () => {
          this.#listeners.delete(once);
          resolve();
        };
        this.#listeners.add(once);
      });
    }
  }

  #heard(_text: string): void {
    for (const listener of this.#listeners) listener();
  }
}
