import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repository } from '../../tools/tree.ts';

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A package in a temporary folder in which `simul` is installed; removed at disposal. */
export class Project implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'simul-project-')));

  constructor(files: Readonly<Record<string, string>>, options: { readonly modules?: boolean } = {}) {
    if (options.modules ?? true) {
      mkdirSync(join(this.folder, 'node_modules'));
      symlinkSync(repository, join(this.folder, 'node_modules', 'simul'));
    }
    this.write({ 'package.json': '{ "name": "project", "type": "module" }', ...files });
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(this.path(name)), { recursive: true });
      writeFileSync(this.path(name), text);
    }
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    return spawn(process.execPath, args, {
      cwd: this.folder,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Runs `node ARGS…` to its end, and to the end of all that inherited its output. */
  async run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome> {
    const child = this.start(args, env);
    const out = collect(child.stdout!);
    const err = collect(child.stderr!);
    // A program that hangs is a failure of the test, not of the machine.
    const guard = setTimeout(() => child.kill('SIGKILL'), 30_000);
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    clearTimeout(guard);
    return { code, signal, stdout: out.text, stderr: err.text };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function collect(stream: NodeJS.ReadableStream): { text: string } {
  const collected = { text: '' };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => (collected.text += chunk));
  return collected;
}
