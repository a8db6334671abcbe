import { DecodeError } from '../errors.ts';
import { parseJson } from './parse.ts';
import { Typed } from './typed.ts';

export interface DecodeOptions {
  /** Longest text accepted, in UTF-16 units; checked before anything is read. */
  readonly maxLength?: number;
  /** Deepest nesting accepted; checked before anything is built. */
  readonly maxDepth?: number;
  /** What to do with a key that could reach a prototype (`__proto__`): leave it out, or refuse the text. */
  readonly hostileKeys?: 'drop' | 'refuse';
}

/**
 * Reads kombu's JSON dialect: typed values come back as Date, Buffer or Typed, integers beyond 2^53 as bigint, the
 * tokens NaN and Infinity as numbers. Throws DecodeError, before building anything, for text that is too long or deep.
 */
export function decodeJson(text: string, options: DecodeOptions = {}): unknown {
  const { maxLength = 16 * 2 ** 20, maxDepth = 200, hostileKeys = 'drop' } = options;
  if (text.length > maxLength) throw new DecodeError(`JSON of ${text.length} characters; the limit is ${maxLength}`);
  const plain = inspect(text, maxDepth);
  if (plain) return nativeParse(text);
  return parseJson(text, { hostileKeys, revive });
}

/** One pass over the text: throws if it nests too deep; true if the native parser would read it just as we do. */
function inspect(text: string, maxDepth: number): boolean {
  let depth = 0;
  let digits = 0;
  let plain = true;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      const start = i + 1;
      i = endOfString(text, start);
      // Keys of interest begin with two underscores; an escape could spell one too.
      if (plain && (text.charCodeAt(start) === underscore || text.charCodeAt(start) === backslash)) plain = false;
      digits = 0;
    } else if (c >= 0x30 && c <= 0x39) {
      if (++digits > 15) plain = false;
    } else {
      digits = 0;
      if (c === 0x5b || c === 0x7b) {
        if (++depth > maxDepth) throw new DecodeError(`JSON nested deeper than ${maxDepth} levels`);
      } else if (c === 0x5d || c === 0x7d) depth--;
      else if (c === 0x4e || c === 0x49) plain = false; // NaN, Infinity
    }
  }
  return plain;
}

const quote = 0x22;
const backslash = 0x5c;
const underscore = 0x5f;

function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from);
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++;
  return slashes % 2 === 1;
}

function nativeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DecodeError('not JSON', { cause });
  }
}

function revive(type: string, value: unknown): unknown {
  switch (type) {
    case 'datetime':
      return typeof value === 'string' ? date(value) : new Typed(type, value);
    case 'bytes':
      return typeof value === 'string' ? Buffer.from(value, 'utf8') : new Typed(type, value);
    case 'base64':
      return typeof value === 'string' ? Buffer.from(value, 'base64') : new Typed(type, value);
    default:
      return new Typed(type, value);
  }
}

// Without an offset a Python datetime is naive; Celery itself reads those as UTC.
function date(text: string): unknown {
  const iso = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`;
  const result = new Date(iso);
  return Number.isNaN(result.getTime()) ? new Typed('datetime', text) : result;
}
