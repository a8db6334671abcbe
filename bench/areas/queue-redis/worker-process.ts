import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A worker process: what it prints is kept, and it is ended by SIGTERM. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    }
  }

  /** Resolves when it has printed something that matches. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match !== null) return match;
      const more = once(this.#child.stdout!, 'data');
      const complaint = once(this.#child.stderr!, 'data');
      const end = this.#ended.then(() => 'ended');
      if ((await Promise.race([more, complaint, end])) === 'ended' && !pattern.test(this.#said))
        throw new Error(`the worker ended: ${this.#said.slice(-2000)}`);
    }
  }

  /** Resolves with all it has printed. */
  async stop(): Promise<string> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    return this.#said;
  }
}
