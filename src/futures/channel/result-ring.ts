import { prepared, put, take } from './codec.ts';
import {
  HEADER_BYTES,
  RECORD_HEADER,
  recordBytes,
  RESULT_HEAD,
  RESULT_ROOM,
  RESULT_TAIL,
  RESULT_WAIT,
  RING_BYTES,
} from './layout.ts';
import type { Memory } from './memory.ts';

const MASK = RING_BYTES - 1;
const BASE = HEADER_BYTES + RING_BYTES;
const WRAPPED = -1;

/** The worker's end of the ring of results. */
export class ResultWriter {
  readonly #memory: Memory;
  #tail = 0;
  #head = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Writes what the codec has prepared, waiting for the engine to make room if need be. */
  write(id: number, status: number, micros: number, onFull: () => void): void {
    const { words, bytes, doubles } = this.#memory;
    const need = recordBytes(prepared.size);
    const word = this.#place(need, onFull);
    if (prepared.size > 0) put(bytes, words, doubles, (word << 2) + RECORD_HEADER);
    words[word] = prepared.size;
    words[word + 1] = id;
    words[word + 2] = (status << 4) | (prepared.kind & 15);
    words[word + 3] = micros;
    this.#tail = (this.#tail + need) >>> 0;
    Atomics.store(words, RESULT_TAIL, this.#tail | 0);
  }

  // Where as many bytes lie in one piece.
  #place(need: number, onFull: () => void): number {
    const { words } = this.#memory;
    const left = RING_BYTES - (this.#tail & MASK);
    const wraps = left < need;
    this.#makeRoom(need + (wraps ? left : 0), onFull);
    if (wraps) {
      words[(BASE + (this.#tail & MASK)) >> 2] = WRAPPED;
      this.#tail = (this.#tail + left) >>> 0;
    }
    return (BASE + (this.#tail & MASK)) >> 2;
  }

  #makeRoom(need: number, onFull: () => void): void {
    const { words } = this.#memory;
    while (((this.#tail - this.#head) >>> 0) + need > RING_BYTES) {
      this.#head = Atomics.load(words, RESULT_HEAD) >>> 0;
      if (((this.#tail - this.#head) >>> 0) + need <= RING_BYTES) return;
      const seen = Atomics.load(words, RESULT_ROOM);
      Atomics.store(words, RESULT_WAIT, 1);
      if (Atomics.load(words, RESULT_HEAD) >>> 0 !== this.#head) continue;
      onFull();
      this.#memory.wait(RESULT_ROOM, seen, 1);
    }
  }
}

/** The engine's end of the ring of results. */
export class ResultReader {
  id = 0;
  status = 0;
  micros = 0;
  value: unknown = undefined;
  readonly #memory: Memory;
  #head = 0;
  #tail = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  isEmpty(): boolean {
    return Atomics.load(this.#memory.words, RESULT_TAIL) >>> 0 === this.#head;
  }

  /** Takes the next result into the fields of this object; false if there is none. */
  next(): boolean {
    const { words, bytes, doubles } = this.#memory;
    if (this.#head === this.#tail) {
      this.#tail = Atomics.load(words, RESULT_TAIL) >>> 0;
      if (this.#head === this.#tail) return false;
    }
    let word = (BASE + (this.#head & MASK)) >> 2;
    if (words[word] === WRAPPED) {
      this.#head = (this.#head + RING_BYTES - (this.#head & MASK)) >>> 0;
      word = BASE >> 2;
    }
    const size = words[word]!;
    this.id = words[word + 1]!;
    const form = words[word + 2]!;
    this.status = form >> 4;
    this.micros = words[word + 3]!;
    try {
      this.value = take(form & 15, bytes, words, doubles, (word << 2) + RECORD_HEADER, size);
    } finally {
      this.#head = (this.#head + recordBytes(size)) >>> 0;
    }
    return true;
  }

  /** Tells the worker how far it has come. */
  release(): void {
    const { words } = this.#memory;
    Atomics.store(words, RESULT_HEAD, this.#head | 0);
    if (Atomics.load(words, RESULT_WAIT) === 0) return;
    Atomics.store(words, RESULT_WAIT, 0);
    Atomics.add(words, RESULT_ROOM, 1);
    this.#memory.wake(RESULT_ROOM);
  }
}
