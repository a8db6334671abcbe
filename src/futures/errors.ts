import { BrokenError, nameClass } from '../base/errors.ts';

/** How a worker ended that nobody had asked to end. */
export interface WorkerDeath {
  /** In words: "thread 3", "process 4711". */
  readonly worker: string;
  /** The exit code; null if a signal ended it or it never started. */
  readonly exitcode: number | null;
  /** The signal that ended a process, such as SIGKILL. */
  readonly signal: NodeJS.Signals | null;
  /** It ran out of memory: its own limit, that of its heap, or the machine's. */
  readonly outOfMemory: boolean;
}

/** The worker died while it ran this call. The call may have had effects; calls it had not begun run elsewhere. */
export class WorkerLostError extends BrokenError {
  readonly death: WorkerDeath;

  constructor(message: string, death: WorkerDeath, options: { cause?: unknown } = {}) {
    super(message, options);
    this.death = death;
  }

  static {
    nameClass(this, 'WorkerLostError');
  }
}

/** The executor cannot go on: its initializer failed, or its workers die before they are ready. `cause` says of what. */
export class BrokenExecutor extends BrokenError {
  static {
    nameClass(this, 'BrokenExecutor');
  }
}

/** A pool of threads that cannot go on. (concurrent.futures.thread.BrokenThreadPool) */
export class BrokenThreadPool extends BrokenExecutor {
  static {
    nameClass(this, 'BrokenThreadPool');
  }
}

/** A pool of processes that cannot go on. (concurrent.futures.process.BrokenProcessPool) */
export class BrokenProcessPool extends BrokenExecutor {
  static {
    nameClass(this, 'BrokenProcessPool');
  }
}
