import { InvalidArgumentError } from '../base/errors.ts';
import type { Copied, Message } from './message.ts';
import { Monitor } from './monitor.ts';
import { COUNT_MASK } from './pair.ts';
import type { Region } from './region.ts';
import { ALL, BODY, SEQUENCE, STATE } from './region.ts';
import type { Store } from './store.ts';

const CAPACITY = STATE + 1;
const LIMIT = STATE + 2;
const CLOSED = STATE + 3;
const HALF = STATE + 4;
const USED = STATE + 5;
const WRITTEN = STATE + 6;
const DIED = STATE + 7;
const LIFO = STATE + 8;
const COUNT = STATE + 9;

// An entry: live, order, size, kind, its offset in either half, and its rank (a double).
const entryBytes = 32;
const LIVE = 0;
const ORDER = 1;
const SIZE = 2;
const KIND = 3;
const OFFSETS = 4;
const RANK = 3; // in doubles

/** Bytes of the region of a store for so many bytes of items. */
export function orderedBytes(capacity: number): number {
  return BODY + entriesFor(capacity) * entryBytes + 2 * capacity;
}

/**
 * Items that leave by rank, the least first, equal ones in the order in which they came; or the last first. An item is
 * there, or gone, by a single store to its entry, so that whoever is killed leaves the store whole. The least is looked
 * for among all: meant for thousands of items, not for millions.
 */
export class OrderedStore implements Store {
  readonly #region: Region;
  readonly #words: Int32Array;
  readonly #entries: Int32Array;
  readonly #ranks: Float64Array;
  readonly #halves: readonly [Buffer, Buffer];
  readonly #monitor: Monitor;
  // As it was before the last attempt: a change since then is worth another.
  #seen = 0;

  constructor(region: Region, start?: { readonly capacity: number; readonly limit: number; readonly lifo: boolean }) {
    this.#region = region;
    this.#words = region.words;
    if (start !== undefined) this.#begin(start);
    const capacity = this.#words[CAPACITY]!;
    const count = entriesFor(capacity);
    const { buffer, byteOffset } = region.words;
    this.#entries = new Int32Array(buffer, byteOffset + BODY, (count * entryBytes) / 4);
    this.#ranks = new Float64Array(buffer, byteOffset + BODY, (count * entryBytes) / 8);
    const data = byteOffset + BODY + count * entryBytes;
    this.#halves = [
      Buffer.from(buffer as ArrayBuffer, data, capacity),
      Buffer.from(buffer as ArrayBuffer, data + capacity, capacity),
    ];
    this.#monitor = new Monitor(region, { what: 'a queue', inOrder: false, repair: () => this.#repair() });
  }

  get largest(): number {
    return this.#words[CAPACITY]!;
  }

  get limit(): number {
    return this.#words[LIMIT]!;
  }

  get size(): number {
    return Atomics.load(this.#words, COUNT);
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  get closed(): boolean {
    return Atomics.load(this.#words, CLOSED) === 1;
  }

  get written(): number {
    return Atomics.load(this.#words, WRITTEN) & COUNT_MASK;
  }

  // Who died inside is not told apart.
  get deaths(): { readonly readers: number; readonly writers: number } {
    return { readers: this.#words[DIED]!, writers: 0 };
  }

  close(): void {
    Atomics.store(this.#words, CLOSED, 1);
    this.#changed();
  }

  tryWrite(message: Message, rank: number): boolean {
    if (message.size > this.largest) {
      throw new InvalidArgumentError('item', message.size, `an item of at most ${this.largest} bytes`);
    }
    this.#seen = Atomics.load(this.#words, SEQUENCE);
    const written = this.#monitor.run(() => this.#add(message, rank));
    if (written) this.#changed();
    return written;
  }

  tryTake(copy: (kind: number, buffer: Buffer, start: number, end: number) => Copied): Copied | undefined {
    this.#seen = Atomics.load(this.#words, SEQUENCE);
    if (this.isEmpty) return undefined;
    const record = this.#monitor.run(() => this.#remove(copy));
    if (record !== undefined) this.#changed();
    return record;
  }

  waitForData(seconds: number): void {
    this.#block(() => !this.isEmpty || this.closed, seconds);
  }

  waitForSpace(_bytes: number, seconds: number): void {
    this.#block(() => this.closed, seconds);
  }

  #begin({ capacity, limit, lifo }: { capacity: number; limit: number; lifo: boolean }): void {
    this.#words[CAPACITY] = checkCapacity(capacity);
    this.#words[LIMIT] = limit;
    this.#words[LIFO] = lifo ? 1 : 0;
  }

  #changed(): void {
    Atomics.add(this.#words, SEQUENCE, 1);
    this.#region.wake(SEQUENCE, ALL);
  }

  #block(ready: () => boolean, seconds: number): void {
    if (!ready()) this.#region.wait(SEQUENCE, this.#seen, seconds);
  }

  #add(message: Message, rank: number): boolean {
    const { limit, size } = this;
    if (limit > 0 && size >= limit) return false;
    const index = this.#freeEntry();
    if (index < 0) return false;
    if (this.#words[USED]! + message.size > this.largest) this.#compact();
    const offset = this.#words[USED]!;
    if (offset + message.size > this.largest) return false;
    const half = this.#words[HALF]!;
    message.write(this.#halves[half]!, offset);
    const at = index * (entryBytes / 4);
    this.#entries[at + SIZE] = message.size;
    this.#entries[at + KIND] = message.kind;
    this.#entries[at + ORDER] = this.#words[WRITTEN]!;
    this.#entries[at + OFFSETS + half] = offset;
    this.#ranks[index * (entryBytes / 8) + RANK] = rank;
    this.#words[USED] = offset + message.size;
    this.#words[WRITTEN]!++;
    Atomics.store(this.#entries, at + LIVE, 1);
    Atomics.add(this.#words, COUNT, 1);
    return true;
  }

  #remove(copy: (kind: number, buffer: Buffer, start: number, end: number) => Copied): Copied | undefined {
    let best = -1;
    for (let i = 0; i < this.#count; i++) if (this.#isLive(i) && (best < 0 || this.#before(i, best))) best = i;
    if (best < 0) return undefined;
    const at = best * (entryBytes / 4);
    const half = this.#words[HALF]!;
    const offset = this.#entries[at + OFFSETS + half]!;
    const size = this.#entries[at + SIZE]!;
    const record = copy(this.#entries[at + KIND]!, this.#halves[half]!, offset, offset + size);
    Atomics.store(this.#entries, at + LIVE, 0);
    if (Atomics.sub(this.#words, COUNT, 1) === 1) this.#words[USED] = 0;
    return record;
  }

  #before(a: number, b: number): boolean {
    const order = (this.#entries[(a * entryBytes) / 4 + ORDER]! - this.#entries[(b * entryBytes) / 4 + ORDER]!) | 0;
    if (this.#words[LIFO] === 1) return order > 0;
    const [first, second] = [this.#rank(a), this.#rank(b)];
    return first < second || (first === second && order < 0);
  }

  #rank(index: number): number {
    return this.#ranks[(index * entryBytes) / 8 + RANK]!;
  }

  #isLive(index: number): boolean {
    return this.#entries[(index * entryBytes) / 4 + LIVE] === 1;
  }

  get #count(): number {
    return (this.#entries.length * 4) / entryBytes;
  }

  #freeEntry(): number {
    for (let i = 0; i < this.#count; i++) if (!this.#isLive(i)) return i;
    return -1;
  }

  // Into the other half, which counts from a single store on.
  #compact(): void {
    const half = this.#words[HALF]!;
    let used = 0;
    for (let i = 0; i < this.#count; i++) {
      if (!this.#isLive(i)) continue;
      const at = (i * entryBytes) / 4;
      const offset = this.#entries[at + OFFSETS + half]!;
      const size = this.#entries[at + SIZE]!;
      this.#halves[half]!.copy(this.#halves[1 - half]!, used, offset, offset + size);
      this.#entries[at + OFFSETS + 1 - half] = used;
      used += size;
    }
    Atomics.store(this.#words, HALF, 1 - half);
    this.#words[USED] = used;
  }

  // What a death inside may have left: a count that is one off, an end that is too low.
  #repair(): void {
    const half = this.#words[HALF]!;
    let count = 0;
    let used = 0;
    for (let i = 0; i < this.#count; i++) {
      if (!this.#isLive(i)) continue;
      const at = (i * entryBytes) / 4;
      count++;
      used = Math.max(used, this.#entries[at + OFFSETS + half]! + this.#entries[at + SIZE]!);
    }
    this.#words[COUNT] = count;
    this.#words[USED] = used;
    this.#words[DIED]!++;
  }
}

function entriesFor(capacity: number): number {
  return Math.max(16, Math.floor(capacity / 128));
}

function checkCapacity(capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= 64 && capacity <= 1 << 28 && capacity % 8 === 0) return capacity;
  throw new InvalidArgumentError('capacity', capacity, 'a number of bytes, a multiple of 8 from 64 to 256 Mi');
}
