import type { Copied, Message } from './message.ts';

/** Where the items of a queue lie in shared memory, and in which order they leave it. */
export interface Store {
  /** Bytes of the largest item. */
  readonly largest: number;
  /** Most items; 0 if only bytes bound it. */
  readonly limit: number;
  readonly size: number;
  readonly isEmpty: boolean;
  readonly closed: boolean;
  /** Items written so far, modulo 2^30. */
  readonly written: number;
  /** How many readers and writers have died in the middle of taking or writing. */
  readonly deaths: { readonly readers: number; readonly writers: number };
  /** False if there is no room now; InvalidArgumentError if there never will be. */
  tryWrite(message: Message, rank: number): boolean;
  tryTake(copy: (kind: number, buffer: Buffer, start: number, end: number) => Copied): Copied | undefined;
  /** Block this thread until it may be worth while to try again. */
  waitForData(seconds: number): void;
  waitForSpace(bytes: number, seconds: number): void;
  /** Nothing more may be written. */
  close(): void;
}
