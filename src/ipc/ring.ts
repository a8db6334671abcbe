import { InvalidArgumentError } from '../base/errors.ts';
import type { Message } from './message.ts';
import { COUNT_MASK, Pair } from './pair.ts';
import type { Region } from './region.ts';
import { ALL, BODY, ROBUST_BYTES, STATE } from './region.ts';
import { RobustMutex } from './robust-mutex.ts';
import type { Store } from './store.ts';

// Counted up when data, or space, has come for somebody who waits.
const DATA = STATE;
const SPACE = STATE + 1;
const HEAD = STATE + 2;
const TAIL = STATE + 4;
const READERS_WAIT = STATE + 6;
const WRITERS_WAIT = STATE + 7;
const CAPACITY = STATE + 8;
const READERS_DIED = STATE + 9;
const WRITERS_DIED = STATE + 10;
const CLOSED = STATE + 11;
const LIMIT = STATE + 12;
/** For a state machine above. */
export const RING_SPARE = STATE + 13;

const headerBytes = 8;
const PAD = 255;
const dataStart = BODY + ROBUST_BYTES;

/** Bytes of the region of a ring that has room for so many bytes of records. */
export function ringBytes(capacity: number): number {
  return dataStart + roundedCapacity(capacity);
}

/**
 * A queue of records in shared memory. Any number of writers and readers, one of each at a time under a robust lock; a
 * record counts as written, or taken, by a single store, so that whoever is killed at whatever point leaves the ring
 * whole: a writer's record is there or not, a reader loses at most the one it was taking.
 */
export class Ring implements Store {
  readonly region: Region;
  readonly #words: Int32Array;
  readonly #buffer: Buffer;
  readonly #headers: Uint32Array;
  readonly #mask: number;
  readonly #read: RobustMutex;
  readonly #write: RobustMutex;
  readonly #head: Pair;
  readonly #tail: Pair;

  /** Over a new region if `capacity` is given, else over one that is a ring already. */
  constructor(region: Region, start?: { readonly capacity: number; readonly limit: number }) {
    this.region = region;
    this.#words = region.words;
    if (start !== undefined) {
      this.#words[CAPACITY] = roundedCapacity(start.capacity);
      this.#words[LIMIT] = start.limit;
    }
    this.#mask = this.#words[CAPACITY]! - 1;
    const { bytes } = region;
    this.#buffer = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + dataStart, this.#mask + 1);
    this.#headers = new Uint32Array(bytes.buffer, bytes.byteOffset + dataStart, (this.#mask + 1) >>> 2);
    this.#read = new RobustMutex(region);
    this.#write = new RobustMutex(region, BODY / 4);
    this.#head = new Pair(this.#words, HEAD);
    this.#tail = new Pair(this.#words, TAIL);
  }

  /** Bytes of the largest record. */
  get largest(): number {
    return (this.#mask + 1) / 2 - headerBytes;
  }

  /** Most records at a time; 0 if only the bytes are bounded. */
  get limit(): number {
    return this.#words[LIMIT]!;
  }

  /** Records in it now. */
  get size(): number {
    this.#head.load();
    this.#tail.load();
    return (this.#tail.second - this.#head.second) & COUNT_MASK;
  }

  /** Records written so far, modulo 2^30. */
  get written(): number {
    this.#tail.load();
    return this.#tail.second;
  }

  /** How many readers and writers have died in the middle of taking or writing. */
  get deaths(): { readonly readers: number; readonly writers: number } {
    return { readers: this.#words[READERS_DIED]!, writers: this.#words[WRITERS_DIED]! };
  }

  get closed(): boolean {
    return Atomics.load(this.#words, CLOSED) === 1;
  }

  /** Says that nothing more will be written, and wakes everybody. */
  close(): void {
    Atomics.store(this.#words, CLOSED, 1);
    this.wakeReaders(true);
    this.wakeWriters(true);
  }

  /** Writes a record if there is room. InvalidArgumentError if there never will be. */
  tryWrite(message: Message): boolean {
    if (message.size > this.largest) throw tooLarge(message.size, this.largest);
    if (this.#write.take() === 'recovered') this.#words[WRITERS_DIED]!++;
    let written: boolean;
    try {
      written = this.#append(message);
    } finally {
      this.#write.release();
    }
    if (written) this.wakeReaders();
    return written;
  }

  /** Takes the oldest record, given to `decode` as kind, buffer, start and end while nobody else can take it. */
  tryTake<T>(decode: (kind: number, buffer: Buffer, start: number, end: number) => T): T | undefined {
    if (this.isEmpty) return undefined;
    if (this.#read.take() === 'recovered') this.#words[READERS_DIED]!++;
    let record: T | undefined;
    try {
      record = this.#shift(decode);
    } finally {
      this.#read.release();
    }
    if (record !== undefined) this.wakeWriters();
    return record;
  }

  get isEmpty(): boolean {
    this.#head.load();
    this.#tail.load();
    return this.#head.first === this.#tail.first;
  }

  /** Blocks this thread until there may be something to read. */
  waitForData(seconds: number): void {
    this.#block(DATA, READERS_WAIT, () => !this.isEmpty || this.closed, seconds);
  }

  /** Blocks this thread until there may be room for so many bytes. */
  waitForSpace(bytes: number, seconds: number): void {
    this.#block(SPACE, WRITERS_WAIT, () => this.#hasRoom(bytes) || this.closed, seconds);
  }

  /** @internal */
  wakeReaders(all = false): void {
    this.#wake(DATA, READERS_WAIT, all);
  }

  /** @internal */
  wakeWriters(all = false): void {
    this.#wake(SPACE, WRITERS_WAIT, all);
  }

  // All of them: of several that wait one may be dead or about to give up, and the others would never hear of it.
  #wake(counter: number, flag: number, all: boolean): void {
    if (Atomics.load(this.#words, flag) === 0 && !all) return this.region.ring();
    Atomics.store(this.#words, flag, 0);
    Atomics.add(this.#words, counter, 1);
    this.region.wake(counter, ALL);
  }

  #block(counter: number, flag: number, ready: () => boolean, seconds: number): void {
    for (let spin = 0; spin < 100; spin++) if (ready()) return;
    const seen = Atomics.load(this.#words, counter);
    Atomics.store(this.#words, flag, 1);
    if (!ready()) this.region.wait(counter, seen, seconds);
  }

  #append(message: Message): boolean {
    const need = recordBytes(message.size);
    if (!this.#hasRoom(need)) return false;
    let at = this.#tail.first;
    const count = this.#tail.second;
    const left = this.#mask + 1 - (at & this.#mask);
    if (left < need) {
      this.#header(at, PAD, left - headerBytes);
      at = (at + left) >>> 0;
    }
    this.#header(at, message.kind, message.size);
    message.write(this.#buffer, (at & this.#mask) + headerBytes);
    this.#tail.store((at + need) >>> 0, count + 1);
    return true;
  }

  #shift<T>(decode: (kind: number, buffer: Buffer, start: number, end: number) => T): T | undefined {
    // Both anew: others may have taken even what was written after the last look.
    if (this.isEmpty) return undefined;
    let at = this.#head.first;
    const count = this.#head.second;
    let start = (at & this.#mask) + headerBytes;
    if (this.#kindAt(start) === PAD) {
      at = (at + this.#sizeAt(start) + headerBytes) >>> 0;
      start = (at & this.#mask) + headerBytes;
    }
    const size = this.#sizeAt(start);
    const record = decode(this.#kindAt(start), this.#buffer, start, start + size);
    this.#head.store((at + recordBytes(size)) >>> 0, count + 1);
    return record;
  }

  #hasRoom(need: number): boolean {
    this.#head.load();
    this.#tail.load();
    const { limit } = this;
    if (limit > 0 && ((this.#tail.second - this.#head.second) & COUNT_MASK) >= limit) return false;
    const capacity = this.#mask + 1;
    const used = (this.#tail.first - this.#head.first) >>> 0;
    const left = capacity - (this.#tail.first & this.#mask);
    return used + need + (left < need ? left : 0) <= capacity;
  }

  #header(position: number, kind: number, size: number): void {
    const at = position & this.#mask;
    this.#headers[at >>> 2] = size;
    this.#headers[(at >>> 2) + 1] = kind;
  }

  #sizeAt(start: number): number {
    return this.#headers[(start - headerBytes) >>> 2]!;
  }

  #kindAt(start: number): number {
    return this.#headers[((start - headerBytes) >>> 2) + 1]!;
  }
}

/** Bytes that a record of that size takes up. */
export function recordBytes(size: number): number {
  return (headerBytes + size + 7) & ~7;
}

function roundedCapacity(capacity: number): number {
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > 1 << 30) {
    throw new InvalidArgumentError('capacity', capacity, 'a number of bytes up to 1 GiB');
  }
  return Math.max(1024, 1 << Math.ceil(Math.log2(capacity)));
}

function tooLarge(size: number, largest: number): InvalidArgumentError {
  return new InvalidArgumentError(
    'item',
    size,
    `an item of at most ${largest} bytes; give the queue a larger capacity`,
  );
}
