import type { Clock } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import type { Step } from './batch.ts';
import { Batch } from './batch.ts';
import type { TaskRegistry } from './registry.ts';
import { TaskList, WeakTaskRegistry } from './registry.ts';
import type { Report } from './report.ts';
import { defaultReport } from './report.ts';

/** Decides the order in which steps run; `simul/testing` has one that permutes them by a seed. */
export interface Scheduler {
  add(step: Step): void;
}

/** A failure nobody has looked at, apart from its future so that this can be collected. */
export interface Loss {
  readonly name: string;
  readonly error: unknown;
}

/** A task nobody has awaited so far. */
export interface Unawaited {
  readonly name: string;
}

export interface KernelOptions {
  readonly clock?: Clock | undefined;
  readonly scheduler?: Scheduler | undefined;
  readonly debug?: boolean | undefined;
  /** Seconds a foreign await may ignore a cancellation before it is reported and detached (default 5). */
  readonly cancelGrace?: number | undefined;
}

/** The state behind one event loop, below tasks and futures so that these can use it: ready steps, clock, reports. */
export class Kernel {
  readonly clock: Clock;
  readonly scheduler: Scheduler | undefined;
  readonly cancelGrace: number;
  readonly tasks: TaskRegistry;
  debug: boolean;
  slowCallbackDuration = 0.1;
  closed = false;
  /** Grows whenever anything starts, waits or is served: what does not grow for a turn has come to rest. */
  activity = 0;
  /** Failures nobody has looked at. */
  readonly losses = new Set<Loss>();
  onReport: ((report: Report) => void) | undefined;
  /** The public face (`EventLoop`), made on first use by the layer above. */
  face: unknown;
  /** In debug mode: tasks that ended well and that nobody has looked at, apart from them so that they can be collected. */
  readonly unawaited = new Set<Unawaited>();
  #names = 0;
  // In portions, so that what a short task needed is garbage before the collector has to carry it along.
  readonly #starts = new Batch((drain) => void resolved.then(drain), 1024);
  readonly #turns = new Batch((drain) => void setImmediate(drain));

  constructor(options: KernelOptions = {}) {
    this.clock = options.clock ?? realClock;
    this.scheduler = options.scheduler;
    this.debug = options.debug ?? false;
    this.cancelGrace = options.cancelGrace ?? 5;
    this.tasks = this.debug ? new WeakTaskRegistry((name) => this.#lost(name)) : new TaskList();
  }

  nextNumber(): number {
    return ++this.#names;
  }

  /** Runs `step` before the event loop turns: how tasks start. */
  start(step: Step): void {
    this.activity++;
    if (this.scheduler === undefined) this.#starts.add(step);
    else this.scheduler.add(step);
  }

  /** Runs `step` at the next turn of the event loop, so that input and output come in between. */
  soon(step: Step): void {
    this.activity++;
    this.clock.touch?.();
    if (this.scheduler === undefined) this.#turns.add(step);
    else this.scheduler.add(step);
  }

  /** Drops the steps that are due and the failures to be told: a forked process begins anew. */
  forget(): void {
    this.#starts.forget();
    this.#turns.forget();
    this.losses.clear();
  }

  report(report: Report): void {
    if (this.onReport === undefined) return defaultReport(report);
    try {
      this.onReport(report);
    } catch (error) {
      defaultReport(report);
      defaultReport({ message: 'the exception handler itself failed', exception: error });
    }
  }

  #lost(name: string): void {
    this.report({ message: `Task '${name}' was destroyed but it is pending` });
  }
}

const resolved = Promise.resolve();
