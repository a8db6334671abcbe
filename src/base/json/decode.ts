import { DecodeError } from '../errors.ts';
import { inspectJson, isOrdinaryJson } from './inspect.ts';
import { parseJson } from './parse.ts';
import { Typed } from './typed.ts';

/** What a text from outside may be. */
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
  if (isOrdinaryJson(text, maxDepth)) {
    try {
      return JSON.parse(text);
    } catch {
      // NaN and Infinity, or no JSON at all.
    }
  }
  return inspectJson(text, maxDepth) === 'plain' ? nativeParse(text) : parseJson(text, { hostileKeys, revive });
}

function nativeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DecodeError(`not JSON: ${(cause as SyntaxError).message}`, { cause });
  }
}

function revive(type: string, value: unknown): unknown {
  if (typeof value !== 'string') return new Typed(type, value);
  if (type === 'datetime') return date(value);
  if (type === 'bytes') return Buffer.from(value, 'utf8');
  if (type === 'base64') return Buffer.from(value, 'base64');
  return new Typed(type, value);
}

const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;

// Without an offset a Python datetime is naive; Celery itself reads those as UTC. What a Date cannot hold stays Typed.
function date(text: string): unknown {
  const match = isoDate.exec(text);
  const result = new Date(match === null ? Number.NaN : match[1] === undefined ? `${text}Z` : text);
  return Number.isNaN(result.getTime()) ? new Typed('datetime', text) : result;
}
