import { take } from './codec.ts';
import {
  HEADER_BYTES,
  READY,
  RECORD_HEADER,
  recordBytes,
  REVOKED,
  RING_BYTES,
  STARTED,
  TASK_HEAD,
  WRAP,
} from './layout.ts';
import type { Memory } from './memory.ts';

const MASK = RING_BYTES - 1;
const BASE = HEADER_BYTES;

/** The worker's end of the ring of tasks. */
export class TaskReader {
  id = 0;
  form = 0;
  value: unknown = undefined;
  readonly #memory: Memory;
  #head = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Whether there is something to look at. */
  ready(): boolean {
    return Atomics.load(this.#memory.words, (BASE + (this.#head & MASK)) >> 2) !== 0;
  }

  /** Takes the next task into the fields of this object; false if there is none. From then on it counts as begun. */
  next(): boolean {
    const { words } = this.#memory;
    for (;;) {
      const word = (BASE + (this.#head & MASK)) >> 2;
      const state = Atomics.load(words, word);
      if (state === READY) {
        // The engine may take it back at this very moment.
        if (Atomics.compareExchange(words, word, READY, STARTED) === READY) return this.#accept(word);
      } else if (state === REVOKED) this.#pass(recordBytes(words[word + 1]!));
      else if (state === WRAP) this.#pass(RING_BYTES - (this.#head & MASK));
      else return false;
    }
  }

  #accept(word: number): true {
    const { words, bytes, doubles } = this.#memory;
    const size = words[word + 1]!;
    this.id = words[word + 2]!;
    this.form = words[word + 3]!;
    try {
      this.value = take(this.form & 15, bytes, words, doubles, (word << 2) + RECORD_HEADER, size);
    } finally {
      this.#pass(recordBytes(size));
    }
    return true;
  }

  #pass(bytes: number): void {
    this.#head = (this.#head + bytes) >>> 0;
    Atomics.store(this.#memory.words, TASK_HEAD, this.#head | 0);
  }
}
