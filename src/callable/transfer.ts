import { types } from 'node:util';
import { MessagePort } from 'node:worker_threads';
import { InvalidArgumentError } from '../base/errors.ts';

/** What can be moved instead of copied. */
export type Movable = ArrayBuffer | MessagePort;

const marked = new WeakMap<object, readonly Movable[]>();
let used = false;

/**
 * Marks buffers inside a value (an argument, part of one, or a result) to be moved, not copied: the sender's are
 * detached. Choose it for large data. To a process buffers are copied and then detached here.
 *
 * @throws InvalidArgumentError if the value is not an object or something in the list cannot be moved.
 * @example
 * await host.call(blur, [transfer(pixels, [pixels.buffer])]);
 */
export function transfer<T extends object>(value: T, buffers: readonly (Movable | ArrayBufferLike)[]): T {
  if (typeof value !== 'object' || value === null) throw new InvalidArgumentError('value', value, 'an object');
  marked.set(value, buffers.map(checkMovable));
  used = true;
  return value;
}

/** What `transfer` marked anywhere in these values, plain objects and arrays searched. Each mark serves once. */
export function takeTransfers(value: unknown): Movable[] {
  if (!used) return [];
  const found = new Set<Movable>();
  collect(value, found, new Set());
  return [...found];
}

/** Whether `transfer` has marked something in a value, without using the marks up. */
export function hasTransfers(value: unknown): boolean {
  return used && isMarked(value, new Set());
}

function isMarked(value: unknown, seen: Set<object>): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  if (marked.has(value)) return true;
  seen.add(value);
  if (!Array.isArray(value) && !isPlain(value)) return false;
  return Object.values(value).some((item) => isMarked(item, seen));
}

function collect(value: unknown, found: Set<Movable>, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  for (const buffer of marked.get(value) ?? []) found.add(buffer);
  marked.delete(value);
  if (Array.isArray(value)) for (const item of value) collect(item, found, seen);
  else if (isPlain(value)) for (const item of Object.values(value)) collect(item, found, seen);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function checkMovable(item: unknown, index: number): Movable {
  if (types.isArrayBuffer(item) || item instanceof MessagePort) return item;
  throw new InvalidArgumentError(`buffers[${index}]`, item, 'an ArrayBuffer (of a view: its .buffer) or a MessagePort');
}
