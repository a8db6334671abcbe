import { BLOCK_BYTES } from './layout.ts';
import type { Memory } from './memory.ts';
import { viewsOf } from './memory.ts';

/** Memory between threads. */
export class ThreadMemory implements Memory {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly bytes: Buffer;
  readonly doubles: Float64Array;

  constructor(buffer = new SharedArrayBuffer(BLOCK_BYTES)) {
    this.buffer = buffer;
    const { words, bytes, doubles } = viewsOf(buffer);
    this.words = words;
    this.bytes = bytes;
    this.doubles = doubles;
  }

  wait(index: number, value: number, seconds: number): void {
    Atomics.wait(this.words, index, value, seconds * 1000);
  }

  wake(index: number): void {
    Atomics.notify(this.words, index);
  }
}
