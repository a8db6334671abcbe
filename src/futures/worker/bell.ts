import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { Poll, POLLIN } from '../../os/poll.ts';
import { WORKER_BELL } from '../channel/layout.ts';
import type { Memory } from '../channel/memory.ts';

/** How a worker tells its engine of results, and sleeps on its event loop until the engine wakes it. */
export interface Bell {
  ring(): void;
  /** Calls `wake` when the engine rings; one call at least for each ring after `seen` was read from WORKER_BELL. */
  sleep(seen: number, wake: () => void): void;
}

// In Node 20 already, in TypeScript's library from es2024 on.
export const atomics = Atomics as unknown as {
  waitAsync(words: Int32Array, index: number, value: number): { async: boolean; value: Promise<string> | string };
};

/** Between threads. */
export class ThreadBell implements Bell {
  readonly #memory: Memory;
  readonly #engine: Int32Array;
  // A waitAsync cannot be taken back: one at a time.
  #sleeping = false;

  /** `engine` is the word that all workers of an engine count up. */
  constructor(memory: Memory, engine: Int32Array) {
    this.#memory = memory;
    this.#engine = engine;
  }

  ring(): void {
    Atomics.add(this.#engine, 0, 1);
    Atomics.notify(this.#engine, 0);
  }

  sleep(seen: number, wake: () => void): void {
    if (this.#sleeping) return;
    const { async: later, value } = atomics.waitAsync(this.#memory.words, WORKER_BELL, seen);
    if (!later) return void setImmediate(wake);
    this.#sleeping = true;
    void (value as Promise<string>).then(() => {
      this.#sleeping = false;
      setImmediate(wake);
    });
  }
}

/** Between processes: pipes of the engine's process, opened anew through /proc. */
export class ProcessBell implements Bell {
  readonly #engine: number;
  readonly #own: number;
  readonly #poll: Poll;
  #wake: (() => void) | undefined;

  constructor({ pid, engine, worker }: { readonly pid: number; readonly engine: number; readonly worker: number }) {
    this.#engine = openSync(`/proc/${pid}/fd/${engine}`, constants.O_WRONLY | constants.O_NONBLOCK);
    this.#own = openSync(`/proc/${pid}/fd/${worker}`, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#poll = new Poll(this.#own, () => this.#rung());
    this.#poll.start(POLLIN);
    // The channel to the engine's process keeps this one alive, as long as that one lives.
    this.#poll.unref();
  }

  ring(): void {
    writeByte(this.#engine);
  }

  sleep(_seen: number, wake: () => void): void {
    this.#wake = wake;
  }

  close(): void {
    this.#poll.close();
    closeSync(this.#own);
    closeSync(this.#engine);
  }

  #rung(): void {
    drain(this.#own);
    this.#wake?.();
  }
}

/** Rings; a full pipe rings already. */
export function writeByte(fd: number): void {
  try {
    writeSync(fd, one);
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

/** Takes all rings. */
export function drain(fd: number): void {
  try {
    while (readSync(fd, many) === many.length);
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

const one = Buffer.from([1]);
const many = Buffer.alloc(64);

// Nothing there, no room, or nobody at the other end, which its exit tells.
function isExpected(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'EAGAIN' || code === 'EPIPE' || code === 'EINTR';
}
