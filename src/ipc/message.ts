import { deserialize, serialize } from 'node:v8';
import { DecodeError } from '../base/errors.ts';
import { cloneError } from '../callable/clone.ts';
import type { Packed } from '../callable/shareable.ts';
import { packShareables, unpackShareables, unpackShareablesSync } from '../callable/shareable.ts';
import { decodeCompact, encodeCompact, scratch } from './compact.ts';

/** A value as a record: what it is, how many bytes it takes, and what writes them. */
export interface Message {
  readonly kind: number;
  readonly size: number;
  write(buffer: Buffer, at: number): void;
  /** The same, for later: others may be encoded meanwhile. */
  keep(): Message;
}

// 255 is the ring's own.
const TEXT = 1;
const JSON_TEXT = 2;
const BUFFER = 3;
const BYTES = 4;
const CLONE = 5;
const SHARED = 6;
const COMPACT = 7;

/**
 * A value as a structured clone. Text, bytes and plain data that JSON keeps as it is have a shorter way. EncodeError,
 * naming the path, if a part cannot be cloned.
 */
export function encode(value: unknown): Message {
  // UTF-8 has no place for half a surrogate pair.
  if (typeof value === 'string' && isWellFormed(value)) return new TextMessage(TEXT, value);
  if (value instanceof Uint8Array) {
    if (Buffer.isBuffer(value)) return new BytesMessage(BUFFER, value);
    if (value.constructor === Uint8Array) return new BytesMessage(BYTES, value);
  }
  const compact = encodeCompact(value);
  if (compact >= 0) return new CompactMessage(compact);
  if (typeof value === 'object' && isPlain(value, 8)) return new TextMessage(JSON_TEXT, JSON.stringify(value));
  const packed = packShareables(value, 'record');
  try {
    if (packed !== undefined) return new BytesMessage(SHARED, serialize(packed));
    return new BytesMessage(CLONE, serialize(value));
  } catch (cause) {
    throw cloneError('item', value, cause);
  }
}

/** A value as bytes, where it goes over a socket. */
export function toBytes(value: unknown): Uint8Array {
  const message = encode(value);
  const bytes = Buffer.alloc(1 + message.size);
  bytes[0] = message.kind;
  message.write(bytes, 1);
  return bytes;
}

/** The value of such bytes: a promise of it, unless 'sync' is asked for. */
export function fromBytes(bytes: Uint8Array, how?: 'sync'): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const record = copyOut(buffer[0]!, buffer, 1, buffer.length);
  return how === 'sync' ? record.value() : (record.arrive?.() ?? Promise.resolve(record.value()));
}

/** A record that has been copied out of the ring; `value` makes the value of it. */
export interface Copied {
  /** NotFoundError if it has shared objects of a kind of which no module is loaded. */
  value(): unknown;
  /** The value, or a promise of it where modules must be imported first. */
  arrive?(): Promise<unknown>;
}

/** Copies a record: quickly, as others wait meanwhile. */
export function copyOut(kind: number, buffer: Buffer, start: number, end: number): Copied {
  if (kind === COMPACT) return new CopiedValue(decodeCompact(buffer, start));
  if (kind === JSON_TEXT) return new CopiedJson(buffer.toString('utf8', start, end));
  if (kind === TEXT) return new CopiedValue(buffer.toString('utf8', start, end));
  const bytes = Buffer.allocUnsafeSlow(end - start);
  buffer.copy(bytes, 0, start, end);
  if (kind === BUFFER) return new CopiedValue(bytes);
  if (kind === BYTES) return new CopiedValue(new Uint8Array(bytes.buffer));
  return new CopiedClone(kind, bytes);
}

function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed(); // in Node 20, not in TypeScript's es2023
}

class TextMessage implements Message {
  readonly kind: number;
  readonly size: number;
  readonly #text: string;

  constructor(kind: number, text: string) {
    this.kind = kind;
    this.size = Buffer.byteLength(text);
    this.#text = text;
  }

  write(buffer: Buffer, at: number): void {
    buffer.write(this.#text, at, this.size, 'utf8');
  }

  keep(): Message {
    return this;
  }
}

class BytesMessage implements Message {
  readonly kind: number;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(kind: number, bytes: Uint8Array) {
    this.kind = kind;
    this.size = bytes.byteLength;
    this.#bytes = bytes;
  }

  write(buffer: Buffer, at: number): void {
    buffer.set(this.#bytes, at);
  }

  // What is put is put: the caller may change its bytes afterwards.
  keep(): Message {
    return new BytesMessage(this.kind, new Uint8Array(this.#bytes));
  }
}

class CompactMessage implements Message {
  readonly kind = COMPACT;
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  write(buffer: Buffer, at: number): void {
    const { size } = this;
    if (size > 200) buffer.set(scratch.subarray(0, size), at);
    else for (let i = 0; i < size; i++) buffer[at + i] = scratch[i]!;
  }

  keep(): Message {
    return new BytesMessage(COMPACT, scratch.slice(0, this.size));
  }
}

class CopiedValue implements Copied {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  value(): unknown {
    return this.#value;
  }
}

class CopiedJson implements Copied {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    return JSON.parse(this.#text);
  }
}

class CopiedClone implements Copied {
  readonly #kind: number;
  readonly #bytes: Buffer;

  constructor(kind: number, bytes: Buffer) {
    this.#kind = kind;
    this.#bytes = bytes;
  }

  arrive(): Promise<unknown> {
    if (this.#kind === SHARED) return unpackShareables(deserialize(this.#bytes) as Packed);
    return Promise.resolve(this.value());
  }

  value(): unknown {
    if (this.#kind !== CLONE && this.#kind !== SHARED) throw new DecodeError(`a record of unknown kind ${this.#kind}`);
    const value: unknown = deserialize(this.#bytes);
    return this.#kind === SHARED ? unpackShareablesSync(value as Packed) : value;
  }
}

// What comes back from JSON as it was. Deep or large things are left to the structured clone, which keeps identities.
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && (value !== 0 || !Object.is(value, -0));
    case 'object':
      return value === null || (depth > 0 && isPlainObject(value, depth - 1));
    default:
      return false;
  }
}

function isPlainObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    // Holes come back as null, and further properties not at all.
    for (const item of value) if (!isPlain(item, depth)) return false;
    return Object.keys(value).length === value.length;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    if (key === '__proto__' || key === 'toJSON' || !isPlain((value as Record<string, unknown>)[key], depth))
      return false;
  }
  return true;
}
