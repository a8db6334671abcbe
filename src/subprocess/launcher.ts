import type { Readable, Writable } from 'node:stream';
import type { StartPlan } from './options.ts';

/** A program that has been started. */
export interface Launched {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Looks, without waiting, whether it has ended; reaps it if so. */
  poll(): number | undefined;
  /** Called once with the exit code, or -N for death by signal N; 'gone' if somebody else took the status. */
  onExit(callback: (returncode: number | 'gone') => void): void;
  ref(): void;
  unref(): void;
}

/** A way of starting programs: the operating system's, or Node's. */
export interface Launcher {
  /** Whether programs have to be looked for beforehand, because a failure to start is told too late or too vaguely. */
  readonly verifyProgram: boolean;
  /** Throws SystemError if the program cannot be started; nothing is left behind then. */
  launch(plan: StartPlan): Launched;
}
