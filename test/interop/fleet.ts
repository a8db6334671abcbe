import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { ResourceStack } from '../../src/base/dispose.ts';
import { Simul } from '../../src/tasks/app.ts';
import { pythonWith } from '../../tools/programs.ts';
import { repository } from '../../tools/tree.ts';
import { startRedis } from '../support/redis.ts';
import { Child } from './child.ts';
import type { PythonWorkerOptions } from './python.ts';
import { celery, Python, startPythonWorker } from './python.ts';

/** Seconds in which anything must have happened. */
export const wait = { timeout: 20 };

export interface SimulWorkerOptions {
  readonly name?: string;
  readonly queues: readonly string[];
  readonly concurrency?: number;
  readonly lease?: number;
  readonly visibilityTimeout?: number;
  readonly flags?: readonly string[];
}

/** A private Redis, with clients and workers of both languages around it. Everything is ended with it. */
export class Fleet implements AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly python: string;
  /** A TypeScript client without tasks. */
  readonly client: Simul;
  readonly #resources: ResourceStack;
  #files = 0;
  #workers = 0;

  private constructor(url: string, folder: string, python: string, resources: ResourceStack) {
    this.url = url;
    this.folder = folder;
    this.python = python;
    this.#resources = resources;
    this.client = resources.own(new Simul('client', { broker: url, backend: url }), (it) => it.close());
  }

  /** `python` is the interpreter that has Celery; the pinned one by default. */
  static async start(python: string = pythonWith('celery')): Promise<Fleet> {
    const resources = new ResourceStack();
    const folder = mkdtempSync(join(tmpdir(), 'interop-'));
    resources.defer(() => rmSync(folder, { recursive: true, force: true }));
    const redis = resources.own(await startRedis(), (it) => it.stop());
    return new Fleet(`redis://127.0.0.1:${redis.port}/0`, folder, python, resources);
  }

  /** A process that carries out Python source. */
  pythonClient(): Python {
    return this.#resources.own(new Python(this.#python), (it) => it[Symbol.asyncDispose]());
  }

  async pythonWorker(options: Omit<PythonWorkerOptions, 'name' | 'python' | 'url' | 'cwd'> & { name?: string }) {
    const name = options.name ?? `python${++this.#workers}@test`;
    return this.#resources.own(await startPythonWorker({ ...this.#python, ...options, name }), (it) => it.stop());
  }

  /** A real `simul worker`; resolves when it takes tasks. */
  async simulWorker(options: SimulWorkerOptions): Promise<Child> {
    const { name = `simul${++this.#workers}@test`, queues, concurrency = 4, lease = 5, flags = [] } = options;
    const args = ['worker', '-A', app, '-Q', queues.join(','), '-n', name, '-c', String(concurrency)];
    const url = withVisibility(this.url, options.visibilityTimeout);
    const child = this.#simul([...args, '--lease', String(lease), '-l', 'info', ...flags], url);
    await child.printed(/: ready$/m);
    return child;
  }

  /** The `simul` command; resolves with its exit code and all it printed. */
  async simul(...args: string[]): Promise<{ code: number | null; output: string }> {
    const child = this.#simul(args, this.url);
    await child.ended;
    return { code: child.process.exitCode, output: child.output };
  }

  celery(...args: string[]): Promise<{ code: number | null; output: string }> {
    return celery(this.#python, ...args);
  }

  /** A path in the fleet's own folder. */
  file(): string {
    return join(this.folder, `file${++this.#files}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.dispose();
  }

  #simul(args: readonly string[], url: string): Child {
    const command = join(repository, 'dist/src/cli/main.js');
    const env = { SIMUL_BROKER_URL: url, SIMUL_RESULT_BACKEND: this.url };
    const child = new Child({ command: process.execPath, args: [command, ...args], cwd: this.folder, env });
    return this.#resources.own(child.withOutput(), (it) => it.stop());
  }

  get #python() {
    return { python: this.python, url: this.url, cwd: this.folder };
  }
}

const app = join(repository, 'dist/test/interop/app.js');

function withVisibility(url: string, seconds: number | undefined): string {
  return seconds === undefined ? url : `${url}?visibility_timeout=${seconds}`;
}

/** One fleet for all tests of a suite, set up once. Returns what gives access to it. */
export function sharedFleet<T>(setUp: (fleet: Fleet) => Promise<T>, python?: () => string): () => T {
  let fleet: Fleet | undefined;
  let made: T | undefined;
  before(async () => {
    fleet = await Fleet.start(python?.());
    made = await setUp(fleet);
  });
  after(() => fleet?.[Symbol.asyncDispose]());
  return () => made!;
}
