import { deserialize, serialize } from 'node:v8';
import { DecodeError } from '../../base/errors.ts';
import { hasShareables } from '../../callable/shareable.ts';
import { hasTransfers } from '../../callable/transfer.ts';
import { decodeCompact, encodeCompact, scratch } from '../../ipc/compact.ts';
import { LARGEST } from './layout.ts';

const NONE = 0;
const INT = 1;
const DOUBLE = 2;
const COMPACT = 3;
const WIDE = 4;
const INTS = 5;
const DOUBLES = 6;
const BUFFER = 7;
const BYTES = 8;
const CLONE = 9;
const LATIN1 = 10;

/**
 * Writes values as bytes: `prepare` says how one is written and how long it is, `put` writes it. One at a time: what was
 * prepared lies in module variables, because this runs once a call and an object for it would cost as much as the rest.
 */
export const prepared = {
  kind: NONE,
  size: 0,
};

/** Of Node since ever and of its `write` and `toString`, but not of its types. */
interface TextBuffer {
  latin1Write(text: string, at: number, length: number): number;
  latin1Slice(start: number, end: number): string;
  ucs2Write(text: string, at: number, length: number): number;
  ucs2Slice(start: number, end: number): string;
}

// V8 compiles an expression apart for strings of bytes, which this one cannot match: it answers for them in 10 ns, however
// long they are.
const wide = /[^\0-\u00ff]/;
let text = '';
let bytes: Uint8Array = scratch;
let int = 0;
let double = 0;

/** False if it cannot be written, only sent by message: too large, or made of what only a message can carry. */
export function prepare(value: unknown): boolean {
  switch (typeof value) {
    case 'undefined':
      return ready(NONE, 0);
    case 'number':
      return prepareNumber(value);
    case 'string':
      return prepareText(value);
    default:
      return prepareOther(value);
  }
}

/** As `prepare`, for a list of our own making, which has no properties besides its elements. */
export function prepareList(list: readonly unknown[]): boolean {
  return prepareNumbers(list) || prepareOther(list);
}

/** Writes what was prepared. `at` is a multiple of 8 from the start of `into`. */
export function put(into: Buffer, words: Int32Array, doubles: Float64Array, at: number): void {
  switch (prepared.kind) {
    case NONE:
      break;
    case INT:
      words[at >> 2] = int;
      break;
    case DOUBLE:
      doubles[at >> 3] = double;
      break;
    case LATIN1:
      (into as unknown as TextBuffer).latin1Write(text, at, prepared.size);
      break;
    case WIDE:
      (into as unknown as TextBuffer).ucs2Write(text, at, prepared.size);
      break;
    case COMPACT:
      copy(scratch, into, at);
      break;
    case INTS:
      words.set(ints.subarray(0, prepared.size >> 2), at >> 2);
      break;
    case DOUBLES:
      doubles.set(numbers.subarray(0, prepared.size >> 3), at >> 3);
      break;
    default:
      into.set(bytes, at);
  }
}

/** A copy of what was prepared, for later. */
export function keep(): Uint8Array {
  const kept = new ArrayBuffer((prepared.size + 7) & ~7);
  put(Buffer.from(kept), new Int32Array(kept, 0, kept.byteLength >> 2), new Float64Array(kept), 0);
  return new Uint8Array(kept, 0, prepared.size);
}

/** Has `put` write what was kept. */
export function prepareKept(kind: number, kept: Uint8Array): void {
  bytes = kept;
  ready(kind, kept.length);
  // All kinds are bytes once they are written.
  if (kind !== NONE) prepared.kind = kind | RAW;
}

/** Set by `prepareKept`: to be taken off before the kind is written. */
export const RAW = 16;

/** Reads a value; nothing of it refers to the memory afterwards. */
export function take(
  kind: number,
  from: Buffer,
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  size: number,
): unknown {
  switch (kind) {
    case NONE:
      return undefined;
    case INT:
      return words[at >> 2];
    case DOUBLE:
      return doubles[at >> 3];
    case COMPACT:
      return decodeCompact(from, at);
    case LATIN1:
      return (from as unknown as TextBuffer).latin1Slice(at, at + size);
    case WIDE:
      return (from as unknown as TextBuffer).ucs2Slice(at, at + size);
    case INTS:
      return takeNumbers(words, at >> 2, size >> 2);
    case DOUBLES:
      return takeNumbers(doubles, at >> 3, size >> 3);
    default:
      return takeBytes(kind, from, at, size);
  }
}

function takeNumbers(from: Int32Array | Float64Array, at: number, count: number): number[] {
  const list: number[] = [];
  for (let i = at; i < at + count; i++) list.push(from[i]!);
  return list;
}

function takeBytes(kind: number, from: Buffer, at: number, size: number): unknown {
  const own = Buffer.allocUnsafeSlow(size);
  from.copy(own, 0, at, at + size);
  if (kind === BUFFER) return own;
  if (kind === BYTES) return new Uint8Array(own.buffer);
  if (kind === CLONE) return deserialize(own);
  throw new DecodeError(`a value of unknown kind ${kind}`);
}

function ready(kind: number, size: number): true {
  prepared.kind = kind;
  prepared.size = size;
  return true;
}

function prepareNumber(value: number): true {
  const whole = value | 0;
  if (whole === value && (value !== 0 || !Object.is(value, -0))) {
    int = whole;
    return ready(INT, 4);
  }
  double = value;
  return ready(DOUBLE, 8);
}

function prepareText(value: string): boolean {
  const { length } = value;
  if (length > LARGEST) return false;
  text = value;
  if (!wide.test(value)) return ready(LATIN1, length);
  return 2 * length <= LARGEST && ready(WIDE, 2 * length);
}

function prepareOther(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Uint8Array) {
      if (value.constructor === Uint8Array) return prepareBytes(BYTES, value);
      if (Buffer.isBuffer(value)) return prepareBytes(BUFFER, value);
    }
  }
  const compact = encodeCompact(value);
  return compact >= 0 ? ready(COMPACT, compact) : prepareClone(value);
}

function prepareBytes(kind: number, value: Uint8Array): boolean {
  if (value.length > LARGEST || hasTransfers(value)) return false;
  bytes = value;
  return ready(kind, value.length);
}

function prepareClone(value: unknown): boolean {
  if (typeof value === 'object' && (hasShareables(value) || hasTransfers(value))) return false;
  try {
    bytes = serialize(value);
  } catch {
    return false; // the message says why
  }
  return bytes.length <= LARGEST && ready(CLONE, bytes.length);
}

const ints = new Int32Array(LARGEST / 8);
const numbers = new Float64Array(LARGEST / 8);

// A list of nothing but numbers.
function prepareNumbers(list: readonly unknown[]): boolean {
  const { length } = list;
  if (length > numbers.length) return false;
  for (let i = 0; i < length; i++) {
    const item = list[i];
    if (typeof item !== 'number') return false;
    const whole = item | 0;
    if (whole !== item || (item === 0 && Object.is(item, -0))) return prepareDoubles(list, i);
    ints[i] = whole;
  }
  return ready(INTS, length * 4);
}

function prepareDoubles(list: readonly unknown[], start: number): boolean {
  for (let i = 0; i < start; i++) numbers[i] = ints[i]!;
  for (let i = start; i < list.length; i++) {
    const item = list[i];
    if (typeof item !== 'number') return false;
    numbers[i] = item;
  }
  return ready(DOUBLES, list.length * 8);
}

function copy(from: Uint8Array, into: Buffer, at: number): void {
  const { size } = prepared;
  if (size > 200) into.set(from.subarray(0, size), at);
  else for (let i = 0; i < size; i++) into[at + i] = from[i]!;
}
