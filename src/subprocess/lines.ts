import type { Readable } from 'node:stream';
import { DecodeError } from '../base/errors.ts';
import type { TextOptions } from './text.ts';
import { decodeWith, textDecoder } from './text.ts';

/** How lines are read. */
export interface LineOptions extends Omit<TextOptions, 'text'> {
  /** Characters a line may have before DecodeError (2^24): memory stays bounded when no line end comes. */
  readonly maxLineLength?: number | undefined;
}

/**
 * The lines of a stream, without their ends (`\n`, `\r\n`), as they come. The producer is held back while a line is
 * being dealt with; leaving the loop destroys the stream.
 *
 * @example
 * for await (const line of lines(child.stdout)) console.log(line);
 */
export async function* lines(stream: Readable, options: LineOptions = {}): AsyncGenerator<string, void, undefined> {
  const { maxLineLength = 2 ** 24 } = options;
  const decoder = textDecoder(options);
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const text = typeof chunk === 'string' ? chunk : decodeWith(decoder, chunk, true);
    const parts = text.split('\n');
    parts[0] = rest + parts[0];
    rest = parts.pop()!;
    for (const line of parts) yield withoutReturn(line);
    if (rest.length > maxLineLength) throw new DecodeError(`a line is longer than maxLineLength (${maxLineLength})`);
  }
  rest += decodeWith(decoder, undefined, false);
  if (rest !== '') yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
