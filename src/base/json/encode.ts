import { isUtf8 } from 'node:buffer';
import { EncodeError } from '../errors.ts';
import { Typed } from './typed.ts';

/** How values are written. */
export interface EncodeOptions {
  /** Deepest nesting allowed (the default is well below what a Python decoder takes). */
  readonly maxDepth?: number;
  /** What the root is called in an error's path. */
  readonly root?: string;
}

/**
 * JSON in kombu's dialect, byte for byte as Python writes it: `", "` and `": "` between items, ASCII only, dates, bytes
 * and other typed values as `{"__type__", "__value__"}`, bigints as digits, NaN and Infinity as bare tokens. Integers
 * beyond 2^53 are floats to both sides (`1e+16`) unless they are bigints.
 * Throws EncodeError with the path of what cannot be written.
 */
export function encodeJson(value: unknown, options: EncodeOptions = {}): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') return number(value);
  const walk: Walk = {
    root: options.root ?? 'value',
    maxDepth: options.maxDepth ?? 200,
    depth: 0,
    steps: [],
    parents: [],
  };
  try {
    return write(value, walk);
  } catch (cause) {
    if (cause instanceof EncodeError) throw cause;
    // A getter, a proxy or a toJSON of the value's own.
    throw new EncodeError(pathOf(walk), `reading it failed: ${messageOf(cause)}`, { cause });
  }
}

/** Where the writer is: `steps` and `parents` are valid up to `depth`. Kept for the error that may come. */
interface Walk {
  readonly root: string;
  readonly maxDepth: number;
  depth: number;
  /** Keys and indexes from the root; undefined for a level that is not visible in the value (toJSON). */
  readonly steps: (string | number | undefined)[];
  readonly parents: object[];
}

function write(value: unknown, walk: Walk): string {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'number':
      return number(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return 'null';
    case 'bigint':
      return integer(value, walk);
    case 'object':
      return value === null ? 'null' : object(value, walk);
    default:
      throw refused(walk, typeof value === 'function' ? 'a function' : 'a symbol');
  }
}

function text(value: string): string {
  if (/^[ !#-[\]-~]*$/.test(value)) return `"${value}"`;
  const quoted = JSON.stringify(value);
  return /[\x7f-\uffff]/.test(quoted) ? quoted.replaceAll(/[\x7f-\uffff]/g, escape) : quoted;
}

function escape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function number(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  return float(value);
}

// As float.__repr__ does: the shortest digits, an exponent of two digits or more below 1e-4 and from 1e16 on.
function float(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e16 || size < 1e-4) return value.toExponential().replace(/([+-])(\d)$/, '$10$2');
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

// CPython reads and writes no more digits than this (sys.set_int_max_str_digits).
const longestInteger = 4300;

function integer(value: bigint, walk: Walk): string {
  const digits = value.toString();
  if (digits.length > longestInteger) throw refused(walk, `an integer of more than ${longestInteger} digits`);
  return digits;
}

function object(value: object, walk: Walk): string {
  if (walk.depth >= walk.maxDepth) throw tooDeep(value, walk);
  walk.parents[walk.depth] = value;
  if (Array.isArray(value)) return array(value, walk);
  const ownWriter: unknown = (value as { toJSON?: unknown }).toJSON;
  if (typeof ownWriter !== 'function' && Object.getPrototypeOf(value) === Object.prototype) {
    return record(value as Record<string, unknown>, walk);
  }
  return special(value, ownWriter, walk);
}

function special(value: object, ownWriter: unknown, walk: Walk): string {
  if (value instanceof Typed) return `{"__type__": ${text(value.type)}, "__value__": ${inner(value.value, walk)}}`;
  if (value instanceof Date) return tagged('datetime', text(isoDate(value, walk)));
  if (value instanceof Uint8Array) return bytes(value);
  if (value instanceof ArrayBuffer) return bytes(new Uint8Array(value));
  if (typeof ownWriter === 'function') return inner((ownWriter as () => unknown).call(value), walk);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || isForeignPlain(prototype)) return record(value as Record<string, unknown>, walk);
  const name = (value as { constructor?: { name?: string } }).constructor?.name ?? 'object';
  throw refused(walk, `a ${name} (give it a toJSON method, or pass plain data)`);
}

// A plain object of another realm (node:vm) has that realm's Object.prototype, whose own prototype is null.
function isForeignPlain(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty');
}

function array(value: readonly unknown[], walk: Walk): string {
  const depth = walk.depth++;
  let out = '[';
  for (let i = 0; i < value.length; i++) {
    walk.steps[depth] = i;
    if (i > 0) out += ', ';
    out += write(value[i], walk);
  }
  walk.depth = depth;
  return `${out}]`;
}

function record(value: Record<string, unknown>, walk: Walk): string {
  const depth = walk.depth++;
  let out = '{';
  let keys = 0;
  for (const key of Object.keys(value)) {
    walk.steps[depth] = key;
    const item = value[key];
    if (item === undefined) continue;
    if (key === '__proto__') throw refused(walk, 'readers refuse a key that could reach a prototype');
    out += keys++ === 0 ? `${text(key)}: ` : `, ${text(key)}: `;
    out += write(item, walk);
  }
  walk.depth = depth;
  if (keys === 2 && value['__type__'] !== undefined && value['__value__'] !== undefined) {
    throw refused(walk, 'a reader would take an object of just __type__ and __value__ for a typed value');
  }
  return `${out}}`;
}

function inner(value: unknown, walk: Walk): string {
  const depth = walk.depth++;
  walk.steps[depth] = undefined;
  const out = write(value, walk);
  walk.depth = depth;
  return out;
}

function tagged(type: string, json: string): string {
  return `{"__type__": "${type}", "__value__": ${json}}`;
}

// Python 3.8 to 3.10 read neither `Z` nor other than 3 or 6 digits of fraction; none reads a year beyond 9999.
function isoDate(value: Date, walk: Walk): string {
  if (Number.isNaN(value.getTime())) throw refused(walk, 'an invalid Date');
  const year = value.getUTCFullYear();
  if (year < 1 || year > 9999) throw refused(walk, `a Date of the year ${year} (Python has 1 to 9999)`);
  return value.toISOString().replace('Z', '+00:00');
}

function bytes(value: Uint8Array): string {
  const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(view) ? tagged('bytes', text(view.toString('utf8'))) : tagged('base64', `"${view.toString('base64')}"`);
}

// A ring is found here too: it nests for ever, and its first way round leads straight down.
function tooDeep(value: object, walk: Walk): EncodeError {
  const parents = [...walk.parents.slice(0, walk.depth), value];
  const again = parents.findIndex((parent, index) => parents.indexOf(parent) < index);
  if (again < 0) return refused(walk, `nested deeper than ${walk.maxDepth} levels`);
  walk.depth = again;
  return refused(walk, 'it refers to one of its own parents');
}

function refused(walk: Walk, reason: string): EncodeError {
  return new EncodeError(pathOf(walk), reason);
}

function pathOf({ root, steps, depth }: Walk): string {
  const path = steps.slice(0, Math.max(0, depth)).map((step) => {
    if (step === undefined) return '';
    if (typeof step === 'number') return `[${step}]`;
    return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return `${root}${path.join('')}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
