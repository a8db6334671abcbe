import { InvalidArgumentError as BadOption } from 'commander';

/** `a,b`: names, none of them empty. */
export function names(text: string): string[] {
  const list = text.split(',').map((name) => name.trim());
  if (list.some((name) => name === '')) throw new BadOption('Names separated by commas are expected.');
  return list;
}

export function positive(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 1) throw new BadOption('An integer, 1 or more, is expected.');
  return value;
}

export function seconds(text: string): number {
  const value = number(text);
  if (!(value >= 0)) throw new BadOption('A number of seconds, 0 or more, is expected.');
  return value;
}

export function priority(text: string): number {
  if (!/^[0-9]$/.test(text)) throw new BadOption('An integer from 0 to 9 is expected.');
  return Number(text);
}

/** What must not be empty: an empty variable of a shell would pass for "the default" otherwise. */
export function filled(text: string): string {
  if (text.trim() === '') throw new BadOption('It must not be empty.');
  return text;
}

// Number('') is 0, Number('0x10') is 16 and Number('1e999') is Infinity: none is what somebody meant to type.
function number(text: string): number {
  const value = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : NaN;
}
