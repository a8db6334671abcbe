import { InvalidArgumentError } from '../base/errors.ts';
import type { ModuleLocation } from './location.ts';
import { moduleUrl } from './location.ts';
import type { AnyFunction } from './registry.ts';
import { register } from './registry.ts';

/**
 * Makes a function callable in other threads and processes: they import its module and look the name up. Choose it for
 * functions that use imports or other names of their module. Call it while the module is evaluated (not inside a
 * function); the function comes back as it was, and calling it directly runs it inline.
 *
 * @throws InvalidArgumentError if a part is missing or the name is taken in this module.
 * @example
 * export const resize = portable(import.meta, 'resize', (path: string, width: number) => sharp(path).resize(width));
 */
export function portable<F extends AnyFunction>(where: ModuleLocation, name: string, fn: F): F {
  const url = moduleUrl(where);
  if (typeof name !== 'string' || name === '') throw new InvalidArgumentError('name', name, 'a non-empty string');
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, 'a function');
  register(url, name, fn, where);
  return fn;
}
