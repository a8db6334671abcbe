import { EncodeError } from '../errors.ts';
import { Typed } from './typed.ts';

export interface EncodeOptions {
  /** Deepest nesting allowed (the default is well below what a Python decoder takes). */
  readonly maxDepth?: number;
  /** What the root is called in an error's path. */
  readonly root?: string;
}

/**
 * JSON in kombu's dialect, byte for byte as Python writes it: `", "` and `": "` between items, ASCII only, dates, bytes
 * and other typed values as `{"__type__", "__value__"}`, bigints as digits, NaN and Infinity as bare tokens.
 * Throws EncodeError with the path of what cannot be written.
 */
export function encodeJson(value: unknown, options: EncodeOptions = {}): string {
  return write(value, { maxDepth: options.maxDepth ?? 200, path: [options.root ?? 'value'], ancestors: [] });
}

interface Walk {
  readonly maxDepth: number;
  readonly path: (string | number)[];
  readonly ancestors: object[];
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
      return value.toString();
    case 'object':
      return value === null ? 'null' : object(value, walk);
    default:
      throw refused(walk, typeof value === 'function' ? 'a function' : 'a symbol');
  }
}

function text(value: string): string {
  const quoted = JSON.stringify(value);
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7e]*$/.test(quoted) ? quoted : quoted.replace(/[^\x00-\x7e]/g, escape);
}

function escape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function number(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

function object(value: object, walk: Walk): string {
  if (walk.ancestors.includes(value)) throw refused(walk, 'it refers to one of its own parents');
  if (walk.ancestors.length >= walk.maxDepth) throw refused(walk, `nested deeper than ${walk.maxDepth} levels`);
  if (value instanceof Typed)
    return tagged(
      value.type,
      inside(value, walk, () => write(value.value, walk)),
    );
  if (value instanceof Date) return tagged('datetime', text(isoDate(value, walk)));
  if (value instanceof Uint8Array) return bytes(value);
  if (value instanceof ArrayBuffer) return bytes(new Uint8Array(value));
  if (Array.isArray(value)) return array(value, walk);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return inside(value, walk, () => write((value as { toJSON(): unknown }).toJSON(), walk));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && !isForeignPlain(prototype)) {
    const name = (value as { constructor?: { name?: string } }).constructor?.name ?? 'object';
    throw refused(walk, `a ${name} (give it a toJSON method, or pass plain data)`);
  }
  return record(value as Record<string, unknown>, walk);
}

// A plain object of another realm (node:vm) has that realm's Object.prototype, whose own prototype is null.
function isForeignPlain(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty');
}

function array(value: unknown[], walk: Walk): string {
  return inside(value, walk, () => {
    let out = '[';
    for (let i = 0; i < value.length; i++) {
      walk.path.push(i);
      out += i === 0 ? write(value[i], walk) : `, ${write(value[i], walk)}`;
      walk.path.pop();
    }
    return `${out}]`;
  });
}

function record(value: Record<string, unknown>, walk: Walk): string {
  return inside(value, walk, () => {
    let out = '';
    let keys = 0;
    for (const key of Object.keys(value)) {
      const item = value[key];
      if (item === undefined) continue;
      walk.path.push(key);
      out += `${keys++ === 0 ? '' : ', '}${text(key)}: ${write(item, walk)}`;
      walk.path.pop();
    }
    if (keys === 2 && value['__type__'] !== undefined && value['__value__'] !== undefined) {
      throw refused(walk, 'a reader would take an object of just __type__ and __value__ for a typed value');
    }
    return `{${out}}`;
  });
}

function inside(value: object, walk: Walk, body: () => string): string {
  walk.ancestors.push(value);
  const out = body();
  walk.ancestors.pop();
  return out;
}

function tagged(type: string, json: string): string {
  return `{"__type__": ${text(type)}, "__value__": ${json}}`;
}

// Python 3.8 to 3.10 read neither `Z` nor other than 3 or 6 digits of fraction.
function isoDate(value: Date, walk: Walk): string {
  if (Number.isNaN(value.getTime())) throw refused(walk, 'an invalid Date');
  return value.toISOString().replace('Z', '+00:00');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function bytes(value: Uint8Array): string {
  try {
    return tagged('bytes', text(utf8.decode(value)));
  } catch {
    return tagged('base64', `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`);
  }
}

function refused(walk: Walk, reason: string): EncodeError {
  const [root, ...rest] = walk.path;
  const path = rest.map((step) =>
    typeof step === 'number'
      ? `[${step}]`
      : /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step)
        ? `.${step}`
        : `[${JSON.stringify(step)}]`,
  );
  return new EncodeError(`${root}${path.join('')}`, reason);
}
