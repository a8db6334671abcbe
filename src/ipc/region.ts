import type { Robust } from './robust-list.ts';

/** Who can reach a region: the threads of this process, or every process that has it mapped. */
export type Scope = 'threads' | 'processes';

/**
 * A piece of shared memory with the means to wait for a change of a word and to tell of one. The state machines above
 * are written once against it: over a SharedArrayBuffer for threads, over mapped memory and futexes for processes.
 */
export interface Region {
  readonly scope: Scope;
  /** All of it; word 0 is the robust word of a lock. */
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  /** What this thread writes into a word it owns. Read it afresh: a forked child is another. */
  readonly self: number;
  /** Makes the kernel free owned words when this thread dies; undefined where it cannot. */
  readonly robust: Robust | undefined;
  /**
   * Blocks this thread while the word has that value (and the others theirs), at most `seconds`; may return early for
   * no reason.
   */
  wait(index: number, value: number, seconds: number, also?: readonly WordValue[]): void;
  /** Wakes up to `count` blocked threads on that word, and whoever listens to the region. */
  wake(index: number, count: number): void;
  /** Tells those who listen, and wakes no blocked thread. */
  ring(): void;
  /** Calls `fn` (on the event loop) after every `wake` until the returned function is called. May call too often. */
  listen(fn: () => void): () => void;
  /** Calls `fn` when the owner written in a word has died; for listeners, whom the kernel does not wake. */
  watchOwner(owner: number, pid: number, fn: () => void): () => void;
  /** What another thread or process needs to reach the same memory. */
  handle(): RegionHandle;
}

/** A word by its index and the value it is expected to have. */
export type WordValue = readonly [index: number, value: number];

export type RegionHandle =
  | { readonly scope: 'threads'; readonly buffer: SharedArrayBuffer }
  | {
      readonly scope: 'processes';
      readonly pid: number;
      readonly fd: number;
      readonly id: string;
      readonly offset: number;
      readonly size: number;
      /** Where this process's threads are told to end their waits. */
      readonly page: number;
    };

// Word offsets of what every region begins with. A robust word needs its list entry 32 bytes behind it (glibc's
// futex_offset), so that each takes 64 bytes.
export const ROBUST_BYTES = 64;
/** The process of the owner of the robust word before it. */
export const OWNER_PID = 1;
/** Bit mask of the occupied listener slots (processes), or the number of listeners (threads). */
export const LISTENERS = 16;
/** Counts the wakes that listeners of threads wait for. */
export const BELL = 17;
/** First word of what a state machine keeps for itself; 14 of them before the slots. */
export const STATE = 18;
/** The first of them counts changes, where a machine waits for any change at all. */
export const SEQUENCE = STATE;
/** Listener slots: 32 of two token words, process and notified flag. */
export const SLOTS = 32;
export const SLOT_COUNT = 32;
export const SLOT_WORDS = 4;
/**
 * Seconds after which a wait looks by itself: a process killed between a change and its wake has told nobody.
 */
export const LOOK_AGAIN = 1;
/** First byte after the common part. */
export const BODY = (SLOTS + SLOT_COUNT * SLOT_WORDS) * 4;

export const OWNER_MASK = 0x3fffffff;
export const OWNER_DIED = 0x40000000;
export const WAITERS = 0x80000000 | 0;
export const ALL = 0x7fffffff;
