import { InvalidArgumentError, NotFoundError } from '../base/errors.ts';
import { importFunction } from './from-module.ts';
import { importModule } from './module.ts';
import type { AnyFunction, Reference } from './registry.ts';
import { refer, referenceOf, registered, registeredNames } from './registry.ts';
import { captureSource, reviveSource } from './source.ts';

/**
 * Writes a function down for another thread or process on this machine. Never send a `source` reference over a network.
 *
 * @throws InvalidArgumentError if the function cannot cross: native, bound, a class, a generator, or not parseable alone.
 */
export function describe(fn: AnyFunction): Reference {
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', fn, 'a function');
  let reference = referenceOf(fn);
  if (reference === undefined) {
    reference = { kind: 'source', ...captureSource(fn) };
    refer(fn, reference);
  }
  return reference;
}

/** Identifies a reference within one thread or process. */
export function referenceKey(reference: Reference): string {
  return reference.kind === 'source' ? reference.hash : `${reference.kind} ${reference.url} ${reference.name}`;
}

const resolved = new Map<string, AnyFunction>();

/**
 * The function a reference stands for in this thread, importing its module if need be; looked up once a thread.
 *
 * @throws NotFoundError if the module does not have it, or whatever importing the module throws.
 */
export async function resolve(reference: Reference): Promise<AnyFunction> {
  const key = referenceKey(reference);
  let fn = resolved.get(key);
  if (fn === undefined) {
    fn = await find(reference);
    resolved.set(key, fn);
  }
  return fn;
}

async function find(reference: Reference): Promise<AnyFunction> {
  if (reference.kind === 'source') return reviveSource(reference);
  const { url, name } = reference;
  if (reference.kind === 'export') return importFunction(url, name);
  return registered(url, name) ?? importPortable(url, name);
}

async function importPortable(url: string, name: string): Promise<AnyFunction> {
  await importModule(url);
  const fn = registered(url, name);
  if (fn !== undefined) return fn;
  const names = registeredNames(url);
  throw new NotFoundError(
    `${url} was imported but registered no portable function "${name}" ` +
      `(registered: ${names.length === 0 ? 'none' : names.join(', ')}); call portable at the top level of the module`,
  );
}
