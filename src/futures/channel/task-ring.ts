import { prepared, put } from './codec.ts';
import {
  EMPTY,
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

/**
 * The engine's end of the ring of tasks: it writes, and takes back what the worker has not begun. A task counts as written by one
 * store of its state, and there is always an EMPTY state behind the last one.
 */
export class TaskRing {
  readonly #memory: Memory;
  #tail = 0;
  #head = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
    memory.words[BASE >> 2] = EMPTY;
  }

  /**
   * Writes what the codec has prepared; its position, or -1 if there is no room. Positions count bytes, modulo 2^32. `form` is
   * without the kind.
   */
  write(id: number, form: number): number {
    const { words, bytes, doubles } = this.#memory;
    const need = recordBytes(prepared.size);
    const left = RING_BYTES - (this.#tail & MASK);
    const wraps = left < need;
    if (!this.#fits(need + (wraps ? left : 0))) return -1;
    if (wraps) this.#wrap(left);
    const at = this.#tail;
    const offset = BASE + (at & MASK);
    const word = offset >> 2;
    if (prepared.size > 0) put(bytes, words, doubles, offset + RECORD_HEADER);
    words[word + 1] = prepared.size;
    words[word + 2] = id;
    words[word + 3] = form | (prepared.kind & 15);
    this.#tail = (at + need) >>> 0;
    words[(BASE + (this.#tail & MASK)) >> 2] = EMPTY;
    Atomics.store(words, word, READY);
    return at;
  }

  /** Whether the worker has begun what lies there. */
  started(at: number): boolean {
    const { words } = this.#memory;
    this.#head = Atomics.load(words, TASK_HEAD) >>> 0;
    if (((this.#head - at) | 0) > 0) return true;
    return Atomics.load(words, (BASE + (at & MASK)) >> 2) === STARTED;
  }

  /** Has the worker skip a task; false if it has begun it. */
  revoke(at: number): boolean {
    return this.#change(at, REVOKED);
  }

  /** Takes back the last task, which must be the last one written; false if the worker has begun it. */
  unwrite(at: number): boolean {
    if (!this.#change(at, EMPTY)) return false;
    this.#tail = at;
    return true;
  }

  /** A copy of the payload of a task that was taken back, valid until the next write. */
  payload(at: number): Uint8Array {
    const { words, bytes } = this.#memory;
    const offset = BASE + (at & MASK);
    const size = words[(offset >> 2) + 1]!;
    return new Uint8Array(bytes.subarray(offset + RECORD_HEADER, offset + RECORD_HEADER + size));
  }

  /** The kind of that payload. */
  kind(at: number): number {
    return this.#memory.words[(BASE + (at & MASK)) / 4 + 3]! & 15;
  }

  #change(at: number, state: number): boolean {
    const { words } = this.#memory;
    // What lies before the head may have been overwritten, and READY there be another's.
    if (((Atomics.load(words, TASK_HEAD) - at) | 0) > 0) return false;
    return Atomics.compareExchange(words, (BASE + (at & MASK)) >> 2, READY, state) === READY;
  }

  #fits(need: number): boolean {
    // One more header for the EMPTY state behind it.
    const room = RING_BYTES - RECORD_HEADER - need;
    if ((this.#tail - this.#head) >>> 0 <= room) return true;
    this.#head = Atomics.load(this.#memory.words, TASK_HEAD) >>> 0;
    return (this.#tail - this.#head) >>> 0 <= room;
  }

  #wrap(left: number): void {
    const { words } = this.#memory;
    words[BASE >> 2] = EMPTY;
    Atomics.store(words, (BASE + (this.#tail & MASK)) >> 2, WRAP);
    this.#tail = (this.#tail + left) >>> 0;
  }
}
