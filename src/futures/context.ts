import type { ContextVar } from '../asyncio/context.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import type { ModuleLocation } from '../callable/location.ts';
import { moduleUrl } from '../callable/location.ts';

/** The value of a context variable on its way. */
export interface CarriedValue {
  readonly url: string;
  readonly name: string;
  readonly value: unknown;
}

const carried = new Map<string, { readonly url: string; readonly variable: ContextVar<unknown> }>();
const unset = Symbol('unset');

/**
 * Declares that the value of a context variable goes along with the calls of pools, as a clone: what `submit`, `map` and the like
 * find where they are called, the function finds in its worker. Call it when the module is evaluated. Returns the
 * variable. InvalidArgumentError if another of that name is declared in the module.
 *
 * @example
 * export const user = carryContext(import.meta, new ContextVar('user', 'nobody'));
 */
export function carryContext<T>(where: ModuleLocation, variable: ContextVar<T>): ContextVar<T> {
  const url = moduleUrl(where);
  const key = keyOf(url, variable.name);
  const known = carried.get(key);
  if (known !== undefined && known.variable !== variable)
    throw new InvalidArgumentError('variable', variable.name, `a name not yet declared in ${url}`);
  carried.set(key, { url, variable });
  return variable;
}

/** @internal The values that are set here; undefined if there are none. */
export function carriedValues(): CarriedValue[] | undefined {
  if (carried.size === 0) return undefined;
  const values: CarriedValue[] = [];
  for (const { url, variable } of carried.values()) {
    const value = variable.get(unset);
    if (value !== unset) values.push({ url, name: variable.name, value });
  }
  return values.length === 0 ? undefined : values;
}

/** @internal */
export function carriedVariable(url: string, name: string): ContextVar<unknown> | undefined {
  return carried.get(keyOf(url, name))?.variable;
}

function keyOf(url: string, name: string): string {
  return `${url} ${name}`;
}
