import { InvalidArgumentError } from './errors.ts';

/** Refuses what is no object of options; `null` above all, which no default stands in for. */
export function checkOptions(options: unknown, argument = 'options'): void {
  if (typeof options === 'object' && options !== null) return;
  throw new InvalidArgumentError(argument, options, 'an object of options, or nothing');
}
