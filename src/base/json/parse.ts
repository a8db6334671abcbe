import { DecodeError } from '../errors.ts';

/** How the parser treats what `JSON.parse` does not know. */
export interface ParseOptions {
  readonly hostileKeys: 'drop' | 'refuse';
  /** Turns `{"__type__": type, "__value__": value}` into what it stands for. */
  readonly revive: (type: string, value: unknown) => unknown;
}

/** A JSON parser for what `JSON.parse` refuses or rounds: NaN, Infinity, large integers, typed values, hostile keys. */
export function parseJson(text: string, options: ParseOptions): unknown {
  return new Parser(text, options).document();
}

const words: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
];
const numeral = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;

// CPython refuses longer ones too, since reading them takes quadratic time.
const longestInteger = 4300;

class Parser {
  readonly #text: string;
  readonly #options: ParseOptions;
  #at = 0;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#options = options;
  }

  document(): unknown {
    const value = this.#item();
    if (this.#peek() !== '') throw this.#error();
    return value;
  }

  /** The next character that is not white space, not yet taken; '' at the end. */
  #peek(): string {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return this.#text.charAt(this.#at);
      this.#at++;
    }
  }

  #item(): unknown {
    const c = this.#peek();
    if (c === '"') return this.#string();
    if (c === '{') return this.#object();
    if (c === '[') return this.#array();
    if (c >= '0' && c <= '9') return this.#number();
    for (const [word, value] of words) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    if (c === '-') return this.#number();
    throw this.#error();
  }

  #array(): unknown[] {
    const out: unknown[] = [];
    this.#at++;
    if (this.#peek() === ']') {
      this.#at++;
      return out;
    }
    do out.push(this.#item());
    while (this.#hasNext(']'));
    return out;
  }

  #object(): unknown {
    const out: Record<string, unknown> = {};
    this.#at++;
    if (this.#peek() === '}') {
      this.#at++;
      return out;
    }
    do this.#member(out);
    while (this.#hasNext('}'));
    return this.#revived(out);
  }

  /** Takes a comma (true) or the closing bracket (false). */
  #hasNext(closing: string): boolean {
    const c = this.#peek();
    if (c !== ',' && c !== closing) throw this.#error();
    this.#at++;
    return c === ',';
  }

  #member(out: Record<string, unknown>): void {
    if (this.#peek() !== '"') throw this.#error();
    const key = this.#string();
    if (this.#peek() !== ':') throw this.#error();
    this.#at++;
    const value = this.#item();
    if (key !== '__proto__') out[key] = value;
    else if (this.#options.hostileKeys === 'refuse') throw new DecodeError('the key "__proto__" is refused');
  }

  #revived(out: Record<string, unknown>): unknown {
    const type = out['__type__'];
    if (typeof type !== 'string' || !Object.hasOwn(out, '__value__') || Object.keys(out).length !== 2) return out;
    return this.#options.revive(type, out['__value__']);
  }

  #string(): string {
    const start = ++this.#at;
    for (let i = start; ; i++) {
      const c = this.#text.charCodeAt(i);
      if (c === 0x22) {
        this.#at = i + 1;
        return this.#text.slice(start, i);
      }
      if (c === 0x5c) return this.#escapedString(start);
      // Not a number at the end of the text.
      if (!(c >= 0x20)) throw this.#errorAt(i);
    }
  }

  #escapedString(start: number): string {
    let end = this.#at;
    while (end < this.#text.length && this.#text.charCodeAt(end) !== 0x22) {
      end += this.#text.charCodeAt(end) === 0x5c ? 2 : 1;
    }
    if (end >= this.#text.length) throw this.#errorAt(this.#text.length);
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start - 1, end + 1)) as string;
    } catch (cause) {
      throw new DecodeError(`not JSON: bad string at position ${start - 1}`, { cause });
    }
  }

  #number(): number | bigint {
    numeral.lastIndex = this.#at;
    const match = numeral.exec(this.#text);
    if (match === null) throw this.#error();
    const [digits, fraction, exponent] = match;
    this.#at += digits.length;
    const value = Number(digits);
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(value)) return value;
    if (digits.length > longestInteger) throw new DecodeError(`an integer of more than ${longestInteger} digits`);
    return BigInt(digits);
  }

  #error(): DecodeError {
    return this.#errorAt(this.#at);
  }

  #errorAt(at: number): DecodeError {
    return new DecodeError(`not JSON: unexpected text at position ${Math.min(at, this.#text.length)}`);
  }
}
