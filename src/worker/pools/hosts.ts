import { messageOf } from '../../base/error-text.ts';
import { deferred } from '../../base/deferred.ts';
import { BrokenError } from '../../base/errors.ts';
import { pause } from '../../base/pause.ts';
import { fromModule } from '../../callable/from-module.ts';
import type { Host } from '../../callable/host.ts';
import type { PoolName } from '../../tasks/task.ts';
import type { Job, Outcome } from '../job.ts';
import type { Log, LogLevel } from '../log.ts';
import type { Pool, Run } from '../pool.ts';

const child = fromModule<typeof import('./child.ts')>(new URL('./child.js', import.meta.url));

// Seconds a task that was told to stop gets to do so, and what is left of them when the worker itself stops.
const grace = 2;
const lastGrace = 1;

export interface HostPoolOptions {
  readonly name: PoolName;
  readonly concurrency: number;
  /** URL of the module that exports the app. */
  readonly module: string;
  readonly loglevel: LogLevel;
  readonly log: Log;
  startHost(): Host;
}

/**
 * Runs tasks in threads or processes, one at a time in each. One that dies takes only its own task with it, which goes
 * back to the queue and counts as tried; another takes its place.
 */
export class HostPool implements Pool {
  readonly name: string;
  readonly concurrency: number;
  readonly #options: HostPoolOptions;
  readonly #idle: Host[] = [];
  readonly #all = new Set<Host>();
  readonly #stopping = new AbortController();
  readonly #waiting: ((host: Host) => void)[] = [];

  constructor(options: HostPoolOptions) {
    this.#options = options;
    this.name = options.name;
    this.concurrency = options.concurrency;
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.concurrency }, () => this.#add()));
  }

  run(job: Job): Run {
    const abort = new AbortController();
    return { outcome: this.#run(job, abort.signal), abort: (reason) => abort.abort(reason) };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#all].map((host) => end(host, lastGrace)));
  }

  async #run(job: Job, signal: AbortSignal): Promise<Outcome> {
    const host = this.#idle.pop() ?? (await this.#nextIdle());
    try {
      return await host.call(child.run, [job], { signal });
    } catch (error) {
      if (error instanceof BrokenError) return { kind: 'lost', reason: messageOf(error) };
      return { kind: 'lost', reason: signal.aborted ? 'it was told to stop' : messageOf(error) };
    } finally {
      this.#free(host);
    }
  }

  async #nextIdle(): Promise<Host> {
    const next = deferred<Host>();
    this.#waiting.push(next.resolve);
    return next.promise;
  }

  // A run that was given up may still block its thread: the slot is free only once the thread is.
  #free(host: Host): void {
    if (!this.#all.has(host)) return;
    if (host.running > 0) return void end(host, grace);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#idle.push(host);
    else waiting(host);
  }

  async #add(): Promise<void> {
    const host = this.#options.startHost();
    this.#all.add(host);
    void host.exited.then((exit) => this.#replace(host, exit.why));
    await host.call(child.prepare, [this.#options.module, this.#options.loglevel, process.pid]);
    this.#free(host);
  }

  async #replace(host: Host, why: string): Promise<void> {
    this.#all.delete(host);
    const at = this.#idle.indexOf(host);
    if (at >= 0) this.#idle.splice(at, 1);
    if (!this.#stopping.signal.aborted) this.#options.log.warn(`${host.name} ${why}; another takes its place`);
    for (let delay = 0.1; !this.#stopping.signal.aborted; delay = Math.min(delay * 2, 5)) {
      try {
        return await this.#add();
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        this.#options.log.error(`cannot start a worker ${this.name}, trying again: ${messageOf(error)}`);
        await pause(delay, this.#stopping.signal);
      }
    }
  }
}

/** Lets what runs there see that it was told to stop; then it is ended, whether it did or not. */
async function end(host: Host, seconds: number): Promise<void> {
  if (host.running > 0) await host.close({ timeout: seconds }).catch(() => {});
  await host.terminate();
}
