import { DecodeError } from '../errors.ts';

const quote = 0x22;
const backslash = 0x5c;
const underscore = 0x5f;

/**
 * Whether the native parser, if it takes the text, reads it as ours would. A few native searches tell it of nearly every
 * message, for a fraction of what `inspectJson` costs; the others need that.
 */
export function isOrdinaryJson(text: string, maxDepth: number): boolean {
  if (text.includes('__') || text.includes('\\') || hasLongNumber(text)) return false;
  const objects = count(text, '{', maxDepth);
  return objects + count(text, '[', maxDepth - objects) <= maxDepth;
}

// Of sixteen digits in a row one stands at each sixteenth place.
function hasLongNumber(text: string): boolean {
  for (let at = 15; at < text.length; at += 16) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let from = at;
    let to = at + 1;
    while (isDigit(text.charCodeAt(from - 1))) from--;
    while (isDigit(text.charCodeAt(to))) to++;
    if (to - from > 15) return true;
  }
  return false;
}

/** How often a character occurs, as far as it is not more than `most` times. */
function count(text: string, character: string, most: number): number {
  let found = 0;
  for (let at = text.indexOf(character); at >= 0 && found <= most; at = text.indexOf(character, at + 1)) found++;
  return found;
}

/**
 * One pass over a JSON text before anything is built: throws DecodeError if it nests deeper than `maxDepth`; `plain` if
 * the native parser would read it just as ours does, which is the usual case and several times faster.
 */
export function inspectJson(text: string, maxDepth: number): 'plain' | 'special' {
  let depth = 0;
  let special = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      // Keys of interest begin with two underscores; an escape could spell one too.
      const first = text.charCodeAt(i + 1);
      if (first === underscore || first === backslash) special = true;
      i = endOfString(text, i + 1);
    } else if (isDigit(c)) {
      const end = endOfNumber(text, i);
      if (end - i > 15 && isInteger(text, i, end)) special = true;
      i = end - 1;
    } else if (c === 0x5b || c === 0x7b) {
      if (++depth > maxDepth) throw new DecodeError(`JSON nested deeper than ${maxDepth} levels`);
    } else if (c === 0x5d || c === 0x7d) depth--;
    else if (c === 0x4e || c === 0x49) special = true; // NaN, Infinity
  }
  return special ? 'special' : 'plain';
}

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

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function endOfNumber(text: string, from: number): number {
  let end = from + 1;
  for (
    let c = text.charCodeAt(end);
    isDigit(c) || c === 0x2e || c === 0x65 || c === 0x45 || c === 0x2b || c === 0x2d;
  ) {
    c = text.charCodeAt(++end);
  }
  return end;
}

function isInteger(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!isDigit(text.charCodeAt(i))) return false;
  return true;
}
