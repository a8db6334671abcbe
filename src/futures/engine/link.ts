import type { Host } from '../../callable/host.ts';
import type { Memory } from '../channel/memory.ts';
import type { Attachment } from '../worker/attach.ts';

/** One worker as it is reached: its host for messages, its memory for everything else. */
export interface Link {
  readonly host: Host;
  readonly memory: Memory;
  readonly attachment: Attachment;
  /** In words: "thread 3", "process 4711". */
  readonly name: string;
  /** Of a process, once it has one. */
  readonly pid: number | undefined;
  /** The process it is a child of, if that is this one. */
  readonly parent: number | undefined;
  /** Wakes it where it sleeps on its event loop. */
  wakeLoop(): void;
  /** Ends it now. */
  kill(signal: NodeJS.Signals): void;
  /** It is gone: gives back what it had. */
  release(): void;
}

/** How the workers of one engine are made, and how they tell it of results. */
export interface Workshop {
  readonly kind: 'thread' | 'process';
  make(): Link;
  /** How often workers have rung, to be given to `sleep`. */
  rings(): number;
  /** Calls `rung` at the first ring after `seen`. Does not keep the program alive. */
  sleep(seen: number, rung: () => void): void;
  close(): void;
}

/** Whether a call over a link failed as the worker at its other end is gone, or is going. */
export function isGone(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'SIMUL_BROKEN' || code === 'SIMUL_CLOSED';
}
