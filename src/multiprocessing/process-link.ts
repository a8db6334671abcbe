import type { HostExit } from '../callable/host.ts';
import type { AnyFunction } from '../callable/registry.ts';
import type { ProcessIdentity } from './current.ts';

/** What a process is to do, and as whom. */
export interface ProcessTask {
  readonly target: AnyFunction;
  readonly args: readonly unknown[];
  readonly identity: ProcessIdentity;
}

/** A process that has been started, as its maker holds it. */
export interface ProcessLink {
  /** Undefined until there is one. */
  readonly pid: number | undefined;
  /** Settles when it has ended, or could not begin; never rejects. */
  readonly exited: Promise<Omit<HostExit, 'why'>>;
  kill(signal: NodeJS.Signals): void;
}
