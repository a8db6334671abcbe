import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../../../tools/programs.ts';

const redisServer = program('redis-server');

/** A Redis that keeps every write on disk and can be killed and started again on its port. */
export class DurableRedis implements AsyncDisposable {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #directory = mkdtempSync(join(tmpdir(), 'simul-redis-'));
  #child: ChildProcess | undefined;

  constructor(port: number, args: readonly string[] = []) {
    this.port = port;
    this.#args = args;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  start(): void {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory, '--save', ''];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
    this.#child = spawn(redisServer, [...args, ...durable, ...this.#args], { stdio: 'ignore' });
  }

  /** Without effect on one that is not running. */
  async kill(): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true });
  }
}
