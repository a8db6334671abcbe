import { DecodeError } from '../errors.ts';

export interface ParseOptions {
  readonly hostileKeys: 'drop' | 'refuse';
  /** Turns `{"__type__": type, "__value__": value}` into what it stands for. */
  readonly revive: (type: string, value: unknown) => unknown;
}

/** A JSON parser for what `JSON.parse` refuses or rounds: NaN, Infinity, large integers, typed values, hostile keys. */
export function parseJson(text: string, options: ParseOptions): unknown {
  const parser = new Parser(text, options);
  return parser.document();
}

const token =
  /[\s]*(?:([{}[\],:])|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null|NaN|-?Infinity))/y;
const words: Record<string, unknown> = {
  true: true,
  false: false,
  null: null,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

class Parser {
  readonly #text: string;
  readonly #options: ParseOptions;
  #at = 0;
  #mark = '';
  #value: unknown;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#options = options;
  }

  document(): unknown {
    this.#next();
    const value = this.#item();
    if (this.#text.slice(this.#at).trim() !== '') throw this.#error();
    return value;
  }

  /** Moves to the next token: `#mark` is its punctuation, or '' for a scalar, which is then in `#value`. */
  #next(): string {
    token.lastIndex = this.#at;
    const match = token.exec(this.#text);
    if (match === null) throw this.#error();
    this.#at = token.lastIndex;
    this.#mark = match[1] ?? '';
    if (match[2] !== undefined) this.#value = this.#string(match[2]);
    else if (match[3] !== undefined) this.#value = numeral(match[3]);
    else if (match[4] !== undefined) this.#value = words[match[4]];
    return this.#mark;
  }

  #string(inner: string): string {
    try {
      return JSON.parse(`"${inner}"`) as string;
    } catch (cause) {
      throw new DecodeError(`not JSON: bad string before position ${this.#at}`, { cause });
    }
  }

  #item(): unknown {
    if (this.#mark === '') return this.#value;
    if (this.#mark === '[') return this.#array();
    if (this.#mark === '{') return this.#object();
    throw this.#error();
  }

  #array(): unknown[] {
    const out: unknown[] = [];
    this.#next();
    if (this.#mark === ']') return out;
    for (;;) {
      out.push(this.#item());
      this.#next();
      if (this.#mark === ']') return out;
      if (this.#mark !== ',') throw this.#error();
      this.#next();
    }
  }

  #object(): unknown {
    const out: Record<string, unknown> = {};
    this.#next();
    if (this.#mark === '}') return out;
    for (;;) {
      this.#member(out);
      this.#next();
      if (this.#mark === '}') return this.#revived(out);
      if (this.#mark !== ',') throw this.#error();
      this.#next();
    }
  }

  #member(out: Record<string, unknown>): void {
    const key = this.#value;
    if (this.#mark !== '' || typeof key !== 'string') throw this.#error();
    if (this.#next() !== ':') throw this.#error();
    this.#next();
    const value = this.#item();
    if (key !== '__proto__') out[key] = value;
    else if (this.#options.hostileKeys === 'refuse') throw new DecodeError('the key "__proto__" is refused');
  }

  #revived(out: Record<string, unknown>): unknown {
    const type = out['__type__'];
    if (typeof type !== 'string' || !('__value__' in out) || Object.keys(out).length !== 2) return out;
    return this.#options.revive(type, out['__value__']);
  }

  #error(): DecodeError {
    return new DecodeError(`not JSON: unexpected text at position ${Math.min(this.#at, this.#text.length)}`);
  }
}

function numeral(digits: string): number | bigint {
  const value = Number(digits);
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(digits) ? value : BigInt(digits);
}
