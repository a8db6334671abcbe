/**
 * A text with its control characters escaped, but for tabs and line ends that are followed by white space: what comes from a
 * message can then neither pose as a line of its own nor steer a terminal.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- it is these that are to be found
  return text.replace(/\n(?!\s)|[\0-\x08\x0b-\x1f\x7f-\x9f]/g, escaped);
}

function escaped(char: string): string {
  return char === '\n' ? '\\n' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
