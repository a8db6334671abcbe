import { TextDecoder } from 'node:util';
import { DecodeError, EncodeError, InvalidArgumentError } from '../base/errors.ts';

/** How bytes become text. */
export interface TextOptions {
  /** Gives strings instead of Buffers, in `encoding` (utf-8), with line ends written as `\n`. */
  readonly text?: boolean | undefined;
  /** A label of the Encoding Standard; implies `text`. */
  readonly encoding?: string | undefined;
  /** What to do with bytes that are none: 'strict' (DecodeError, the default) or 'replace' (U+FFFD). */
  readonly errors?: 'strict' | 'replace' | undefined;
}

export function wantsText(options: TextOptions): boolean {
  return options.text === true || options.encoding !== undefined || options.errors !== undefined;
}

/** The decoder asked for; InvalidArgumentError for an encoding nobody knows. */
export function textDecoder({ encoding = 'utf-8', errors = 'strict' }: TextOptions): TextDecoder {
  if (errors !== 'strict' && errors !== 'replace')
    throw new InvalidArgumentError('errors', errors, "'strict' or 'replace'");
  try {
    return new TextDecoder(encoding, { fatal: errors === 'strict', ignoreBOM: true });
  } catch (cause) {
    throw new InvalidArgumentError('encoding', encoding, 'a label of the Encoding Standard, as "utf-8"', { cause });
  }
}

/** A whole output as text: one decoder over all bytes, so that no chunk border can split a character. */
export function decodeText(bytes: Uint8Array, options: TextOptions): string {
  return universalNewlines(decodeWith(textDecoder(options), bytes, false));
}

export function decodeWith(decoder: TextDecoder, bytes: Uint8Array | undefined, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch (cause) {
    throw new DecodeError(`output is not valid ${decoder.encoding}; errors: 'replace' would mark the bad bytes`, {
      cause,
    });
  }
}

function universalNewlines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** Text for a program's input, in `encoding`: UTF-8, UTF-16 or one of the Encoding Standard's single-byte ones. */
export function textEncoder(options: TextOptions): (text: string) => Uint8Array {
  const { encoding } = textDecoder(options);
  if (encoding === 'utf-8') return (text) => Buffer.from(text);
  if (encoding === 'utf-16le') return (text) => Buffer.from(text, 'utf16le');
  if (encoding === 'utf-16be') return (text) => Buffer.from(text, 'utf16le').swap16();
  if (!singleByte.test(encoding)) {
    return () => {
      throw new InvalidArgumentError(
        'encoding',
        encoding,
        'UTF-8, UTF-16 or a single-byte one for text input; give bytes',
      );
    };
  }
  const table = byteTable(encoding);
  return (text) => Buffer.from(Array.from(text, (character) => byteOf(table, character, encoding)));
}

const singleByte = /^(?:windows-\d+|iso-8859-\d+(?:-[ie])?|koi8-[ru]|ibm866|(?:x-mac-)?(?:macintosh|cyrillic)|latin1)$/;

function byteTable(encoding: string): Map<string, number> {
  const table = new Map<string, number>();
  const decoder = new TextDecoder(encoding);
  for (let byte = 0; byte < 256; byte++) table.set(decoder.decode(Uint8Array.of(byte)), byte);
  table.delete('\ufffd'); // what stands for bytes without a meaning
  return table;
}

function byteOf(table: ReadonlyMap<string, number>, character: string, encoding: string): number {
  const byte = table.get(character);
  if (byte === undefined) throw new EncodeError('input', `${JSON.stringify(character)} does not exist in ${encoding}`);
  return byte;
}
