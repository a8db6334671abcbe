import { messageOf } from '../../base/error-text.ts';
import type { Reference } from '../../callable/registry.ts';
import type { HostExit } from '../../callable/host.ts';
import type { WorkerDeath } from '../errors.ts';
import type { ExecutorEvents } from '../statistics.ts';
import { remote } from './dispatcher.ts';
import type { Workshop } from './link.ts';
import { isGone } from './link.ts';
import { Worker } from './worker.ts';

export interface CrewOptions {
  readonly minWorkers: number;
  readonly idleTimeout: number;
  readonly maxTasksPerChild: number;
  readonly concurrency: number;
  readonly grace: number;
  readonly initializer: Reference | undefined;
  readonly initargs: readonly unknown[];
}

/** What the crew tells the engine. */
export interface CrewEvents {
  /** One is starting. */
  starting(): void;
  /** Whether it holds no more than it may by now. */
  fits(worker: Worker): boolean;
  ready(worker: Worker): void;
  /** Whether there is, or may be, something to do. */
  wanted(): boolean;
  /** It is to get no more calls. */
  leaving(worker: Worker): void;
  /** It has answered all it had. */
  dismissed(worker: Worker): void;
  /** It is gone, and still had calls, perhaps. */
  lost(worker: Worker, death: WorkerDeath, cause: unknown): void;
  /** Workers cannot be had any more. */
  broken(message: string, cause: unknown): void;
  /** Whether somebody listens. */
  emit<E extends keyof ExecutorEvents>(event: E, detail: ExecutorEvents[E]): boolean;
}

// Workers in a row that died before they were ready, after which there is no hope.
const hopeless = 3;
// Milliseconds until it is tried again to make a worker where there is no making one.
const deniedFor = 1000;

/** The workers of an engine: as many as there should be, each replaced when it leaves. */
export class Crew {
  max: number;
  recycled = 0;
  readonly #options: CrewOptions;
  readonly #workshop: Workshop;
  readonly #events: CrewEvents;
  readonly #all = new Set<Worker>();
  /** Ready to take the place of one that is about to leave. */
  readonly #spare: Worker[] = [];
  #made = false;
  #closing = false;
  #failures = 0;
  /** How long starts take, about. */
  #startSeconds = 0.1;
  #retry: NodeJS.Timeout | undefined;
  /** Runs while no other worker can be had. */
  #denial: NodeJS.Timeout | undefined;
  #warned = false;
  #pruning: NodeJS.Timeout | undefined;
  #waiters: (() => void)[] = [];

  constructor(workshop: Workshop, max: number, options: CrewOptions, events: CrewEvents) {
    this.#workshop = workshop;
    this.max = max;
    this.#options = options;
    this.#events = events;
    for (let i = 0; i < Math.min(max, options.minWorkers); i++) this.#spawn();
    this.#made = true;
    if (options.minWorkers < max) this.#prune();
  }

  get workers(): ReadonlySet<Worker> {
    return this.#all;
  }

  /** Settles when none is starting and there are as many as there should be at least. */
  async settled(): Promise<void> {
    const starting = () => this.#retry !== undefined || [...this.#all].some((each) => each.state === 'starting');
    while (!this.#closing && starting()) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** There is more to do than the workers can take. */
  grow(): void {
    if (!this.#events.wanted() || this.#retry !== undefined || this.#denial !== undefined) return;
    if (this.#count() >= this.max) return;
    this.#spawn();
  }

  resize(max: number): void {
    this.max = max;
    if (this.#closing) return;
    const surplus = [...this.#all].filter((each) => each.state === 'ready' && !this.#spare.includes(each));
    while (surplus.length > max) this.leave(surplus.pop()!, 'resized');
    while (this.#denial === undefined && this.#count() < max && this.#spawn());
  }

  /** A worker has answered: whoever has had its share of calls goes, and before that its replacement is made. */
  answered(worker: Worker): void {
    if (worker.quota === Infinity || worker.doomed || worker.state !== 'ready' || !this.#events.wanted()) return;
    const due = [...this.#all].filter((each) => this.#isDue(each));
    const coming = this.#spare.length + [...this.#all].filter((each) => each.state === 'starting').length;
    if (due.length > coming && this.#denial === undefined) this.#spawn();
    if (worker.quota > 0 || worker.inFlight > 0) return;
    this.recycled++;
    this.leave(worker, 'recycled');
    const next = this.#spare.shift();
    if (next !== undefined) this.#events.ready(next);
  }

  // Whether its replacement would come late if it were begun later: at half its share at the latest, sooner if the calls
  // are so short that the rest of it takes no longer than a start.
  #isDue(worker: Worker): boolean {
    if (worker.state !== 'ready' || worker.doomed || this.#spare.includes(worker)) return false;
    const { quota, average } = worker;
    return quota <= this.#options.maxTasksPerChild / 2 || quota * average < 3 * this.#startSeconds;
  }

  leave(worker: Worker, why: ExecutorEvents['left']['why']): void {
    if (worker.state === 'leaving' || worker.state === 'gone') return;
    worker.state = 'leaving';
    const at = this.#spare.indexOf(worker);
    if (at >= 0) this.#spare.splice(at, 1);
    this.#events.leaving(worker);
    this.#events.emit('left', { worker: worker.link.name, why });
    if (worker.inFlight === 0) this.dismiss(worker);
  }

  /** One that is leaving has nothing left to do. */
  dismiss(worker: Worker): void {
    this.#events.dismissed(worker);
    worker.link.host.close({ timeout: this.#options.grace }).catch(() => this.kill(worker, 'SIGKILL'));
    worker.attend();
  }

  kill(worker: Worker, signal: NodeJS.Signals): void {
    // Before its end is known it must not be given more.
    if (worker.state === 'ready' && !worker.doomed) {
      worker.doomed = true;
      this.#events.leaving(worker);
    }
    void this.#end(worker, signal);
    if (worker.killTimer !== undefined) return;
    const mayLive = this.#workshop.kind === 'process' && signal !== 'SIGKILL';
    this.#unlessGone(worker, mayLive ? () => this.#insist(worker) : () => this.#stuck(worker));
  }

  // A process that handles the signal need not end by it.
  #insist(worker: Worker): void {
    worker.link.kill('SIGKILL');
    this.#unlessGone(worker, () => this.#stuck(worker));
  }

  #unlessGone(worker: Worker, then: () => void): void {
    worker.killTimer = setTimeout(
      () => {
        if (worker.state !== 'gone') then();
      },
      this.#options.grace * 1000 + 1000,
    );
    worker.killTimer.unref();
  }

  // Node 20 loses the descriptor of a file that a thread is opening (for an import) when it is terminated, a bare Worker's too.
  async #end({ link, loading }: Worker, signal: NodeJS.Signals): Promise<void> {
    if (loading === undefined || this.#workshop.kind === 'process') return link.kill(signal);
    let timer: NodeJS.Timeout;
    const longEnough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.grace * 1000);
    });
    await Promise.race([loading, longEnough]);
    clearTimeout(timer!);
    link.kill(signal);
  }

  /** All go: those that have something to do when it is done. */
  dismissAll(): void {
    this.#closing = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#denial);
    clearInterval(this.#pruning);
    for (const worker of this.#all) this.leave(worker, 'shutdown');
    this.#wake();
  }

  /** Settles when all are gone. */
  async gone(): Promise<void> {
    while (this.#all.size > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #count(): number {
    let count = 0;
    for (const { state } of this.#all) if (state === 'starting' || state === 'ready') count++;
    return count;
  }

  /** False if there is no making one, or no need of it any more. */
  #spawn(): boolean {
    if (this.#closing || !this.#events.wanted()) return false;
    let worker: Worker;
    try {
      worker = new Worker(this.#workshop.make(), this.#options.maxTasksPerChild);
    } catch (error) {
      // The constructor's caller gets the error.
      if (!this.#made) throw error;
      this.#denied(error);
      return false;
    }
    this.#all.add(worker);
    const { link } = worker;
    const since = performance.now();
    void link.host.exited.then((exit) => this.#exited(worker, exit));
    const { concurrency, initializer, initargs } = this.#options;
    const setup = { concurrency, initializer, initargs, parent: link.parent };
    const attached = link.host.call(remote.attach, [link.attachment, setup]);
    worker.loading = attached.then(
      () => {
        worker.loading = undefined;
        this.#startSeconds = (this.#startSeconds + (performance.now() - since) / 1000) / 2;
        this.#ready(worker);
      },
      (error: unknown) => {
        worker.loading = undefined;
        this.#refused(worker, error);
      },
    );
    // The engine has no crew yet where its constructor is what starts them.
    if (this.#made) this.#events.starting();
    return true;
  }

  #ready(worker: Worker): void {
    if (worker.state !== 'starting' || !this.#events.fits(worker)) return;
    this.#failures = 0;
    worker.state = 'ready';
    worker.idleSince = performance.now();
    this.#events.emit('ready', { worker: worker.link.name });
    const working = [...this.#all].filter((each) => each.state === 'ready' && !this.#spare.includes(each)).length;
    if (working > this.max) this.#spare.push(worker);
    else this.#events.ready(worker);
    this.#wake();
  }

  // It lives, but its initializer threw, or could not be found there.
  #refused(worker: Worker, error: unknown): void {
    if (worker.state !== 'starting' || isGone(error)) return;
    worker.link.kill('SIGKILL');
    worker.state = 'leaving';
    this.#events.broken('its initializer failed', error);
  }

  #exited(worker: Worker, exit: HostExit): void {
    const { state } = worker;
    worker.state = 'gone';
    clearTimeout(worker.killTimer);
    this.#all.delete(worker);
    const at = this.#spare.indexOf(worker);
    if (at >= 0) this.#spare.splice(at, 1);
    const death = deathOf(worker, exit);
    this.#events.lost(worker, death, exit.error);
    worker.link.release();
    if (state === 'starting' && this.#events.wanted()) this.#failed(death, worker.killed ?? exit.error);
    else if (state === 'ready' && this.#events.wanted()) this.#replace(death, isUnasked(worker));
    this.#wake();
  }

  #replace(death: WorkerDeath, unasked: boolean): void {
    if (unasked) this.#events.emit('died', death);
    const next = this.#spare.shift();
    if (next !== undefined) this.#events.ready(next);
    else this.#fill();
  }

  #failed(death: WorkerDeath, error: unknown): void {
    if (++this.#failures >= hopeless) {
      const how = error === undefined ? (death.signal ?? `exit code ${death.exitcode}`) : messageOf(error);
      return this.#events.broken(`its workers end before they are ready (${how})`, error);
    }
    // One timer for several that failed: a second would be out of reach of `dismissAll`.
    this.#retry ??= setTimeout(
      () => {
        this.#retry = undefined;
        this.#fill();
      },
      50 * 2 ** this.#failures,
    );
  }

  // There is no forking while threads run, say: those there are go on meanwhile.
  #denied(error: unknown): void {
    if (this.#count() === 0) return this.#events.broken('no worker can be started', error);
    if (!this.#warned) process.emitWarning(`a pool has to do with fewer workers: ${messageOf(error)}`, 'SimulWarning');
    this.#warned = true;
    this.#denial = setTimeout(() => {
      this.#denial = undefined;
      this.#fill();
    }, deniedFor);
    this.#denial.unref();
  }

  #fill(): void {
    const least = Math.min(this.max, Math.max(1, this.#options.minWorkers));
    while (this.#denial === undefined && this.#count() < least && this.#spawn());
  }

  // A thread in native code cannot be ended: it stays, and what it had is given up.
  #stuck(worker: Worker): void {
    const { name } = worker.link;
    const told = this.#events.emit('stuck', { worker: name });
    if (!told) process.emitWarning(`${name} of a pool does not end: it is in native code that blocks`, 'SimulWarning');
    this.#all.delete(worker);
    const { state } = worker;
    worker.state = 'gone';
    this.#events.lost(worker, { worker: name, exitcode: null, signal: null, outOfMemory: false }, undefined);
    if (state === 'ready' && this.#events.wanted() && this.#denial === undefined) this.#spawn();
    this.#wake();
  }

  #prune(): void {
    const { idleTimeout, minWorkers } = this.#options;
    this.#pruning = setInterval(
      () => {
        const since = performance.now() - idleTimeout * 1000;
        for (const worker of this.#all) {
          if (this.#count() <= minWorkers) return;
          const idle = worker.state === 'ready' && !worker.doomed && worker.inFlight === 0;
          if (idle && worker.idleSince <= since) this.leave(worker, 'idle');
        }
      },
      Math.max(10, idleTimeout * 500),
    );
    this.#pruning.unref();
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** Whether it has ended without anybody having ended it, or as it held too much. */
export function isUnasked({ killed, outOfMemory }: Worker): boolean {
  return killed === undefined || outOfMemory;
}

function deathOf(worker: Worker, exit: HostExit): WorkerDeath {
  const code = (exit.error as { code?: string } | undefined)?.code;
  // V8 aborts a process whose heap is full.
  const outOfMemory = worker.outOfMemory || code === 'ERR_WORKER_OUT_OF_MEMORY' || exit.signal === 'SIGABRT';
  return { worker: worker.link.name, exitcode: exit.code, signal: exit.signal, outOfMemory };
}
