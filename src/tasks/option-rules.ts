import { InvalidArgumentError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';

/** What an option may be, in words and as a test. */
export interface OptionRule {
  readonly allowed: string;
  readonly test: (value: unknown) => boolean;
}

/** Refuses, by name, options that nobody knows and values that no option may have; `undefined` is as good as absent. */
export function checkFields(options: unknown, rules: Readonly<Record<string, OptionRule>>): void {
  checkOptions(options);
  for (const [name, value] of Object.entries(options as object)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) throw new InvalidArgumentError(name, value, `an option: ${Object.keys(rules).join(', ')}`);
    if (value !== undefined && !rule.test(value)) throw new InvalidArgumentError(name, value, rule.allowed);
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isClass = (value: unknown) => typeof value === 'function';

export const anything: OptionRule = { allowed: 'anything', test: () => true };
export const flag: OptionRule = { allowed: 'true or false', test: (value) => typeof value === 'boolean' };
export const text: OptionRule = { allowed: 'a string', test: (value) => typeof value === 'string' };
/** Without what a store cannot keep: NUL ends a text in SQLite, and half a character has no bytes. */
export const name: OptionRule = {
  allowed: 'a string that is not empty, without NUL and half characters',
  test: (value) => typeof value === 'string' && value !== '' && !value.includes('\0') && isWellFormed(value),
};
export const names: OptionRule = {
  allowed: 'an array of strings',
  test: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
};
export const record: OptionRule = {
  allowed: 'an object',
  test: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};
export const amount: OptionRule = { allowed: 'a number, 0 or more', test: (value) => isNumber(value) && value >= 0 };
export const limit: OptionRule = {
  allowed: 'a number of seconds above 0',
  test: (value) => isNumber(value) && value > 0,
};
export const priority: OptionRule = {
  allowed: 'an integer from 0 to 9',
  test: (value) => isNumber(value) && Number.isInteger(value) && value >= 0 && value <= 9,
};
export const retries: OptionRule = {
  allowed: 'an integer, 0 or more, or null',
  test: (value) => value === null || (isNumber(value) && Number.isInteger(value) && value >= 0),
};
export const classes: OptionRule = {
  allowed: 'an array of classes of errors',
  test: (value) => Array.isArray(value) && value.every(isClass),
};
export const backoff: OptionRule = {
  allowed: 'true, false, or a number, 0 or more',
  test: (value) => typeof value === 'boolean' || amount.test(value),
};
export const rate: OptionRule = {
  allowed: "a number of runs with '/s', '/m' or '/h', or a number",
  test: (value) => amount.test(value) || (typeof value === 'string' && /^\d+(?:\.\d+)?(?:\/[smh])?$/.test(value)),
};

export function oneOf(values: readonly string[]): OptionRule {
  return { allowed: `one of ${values.join(', ')}`, test: (value) => values.includes(value as string) };
}

function isWellFormed(value: string): boolean {
  return !/\p{Surrogate}/u.test(value);
}
