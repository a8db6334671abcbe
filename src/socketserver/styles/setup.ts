import { InvalidArgumentError } from '../../base/errors.ts';
import { describe } from '../../callable/reference.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import type { ServerSettings } from '../options.ts';
import type { Setup } from '../remote.ts';

/** What threads and processes must know; throws InvalidArgumentError if the handler cannot cross. */
export function setupOf(handler: AnyFunction, { ssl, timeout, style }: ServerSettings): Setup {
  if (ssl !== undefined && typeof ssl !== 'function') {
    throw new InvalidArgumentError('ssl', ssl, `a portable function that makes the context, with style "${style}"`);
  }
  return { handler: describe(handler), ssl: ssl === undefined ? undefined : describe(ssl), timeout };
}
