import { InvalidArgumentError, NotFoundError } from '../base/errors.ts';
import type { ModuleLocation } from './location.ts';
import { moduleUrl } from './location.ts';
import { importModule } from './module.ts';
import type { AnyFunction } from './registry.ts';
import { refer } from './registry.ts';

/** The names of a module's exported functions. */
export type FunctionNames<M> = { [K in keyof M]: M[K] extends AnyFunction ? K : never }[keyof M] & string;

/** A function of another module: same parameters, and a promise of its result, because its module is imported first. */
export type Imported<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;

/** The exported functions of a module, each as `Imported`. */
export type ImportedFunctions<M> = { readonly [K in FunctionNames<M>]: Imported<M[K]> };

type Untyped = Record<string, (...args: unknown[]) => unknown>;

/**
 * Names an exported function without importing its module here. Choose it when the caller should not load what the
 * function needs. Called directly it imports the module and runs inline; passed to a host it runs there. TypeScript
 * cannot infer the name beside an explicit module type: with several exports take the member of
 * `fromModule<M>(where)`, or name it twice, `fromModule<M, 'resize'>(where, 'resize')`.
 *
 * @throws InvalidArgumentError at once for a bad location or name; NotFoundError at the call if there is no such export.
 * @example
 * const { resize } = fromModule<typeof import('./jobs.js')>(new URL('./jobs.js', import.meta.url));
 * await host.call(resize, ['a.png', 100]);
 */
export function fromModule<M extends object = Untyped>(where: ModuleLocation): ImportedFunctions<M>;
export function fromModule<M extends object = Untyped, K extends FunctionNames<M> = FunctionNames<M>>(
  where: ModuleLocation,
  name: K,
): Imported<M[K]>;
export function fromModule(where: ModuleLocation, name?: string): unknown {
  const url = moduleUrl(where);
  if (name === undefined) return members(url);
  if (typeof name !== 'string' || name === '') throw new InvalidArgumentError('name', name, 'the name of an export');
  return imported(url, name);
}

/** The exported function of that name, after importing its module. */
export async function importFunction(url: string, name: string): Promise<AnyFunction> {
  const namespace = await importModule(url);
  const value = namespace[name] ?? (namespace['default'] as Record<string, unknown> | undefined)?.[name];
  if (typeof value === 'function') return value as AnyFunction;
  const names = Object.keys(namespace).filter((key) => typeof namespace[key] === 'function');
  const instead = names.length === 0 ? 'it exports no functions' : `its functions are: ${names.join(', ')}`;
  throw new NotFoundError(`${url} has no exported function "${name}"; ${instead}`);
}

function imported(url: string, name: string): AnyFunction {
  const fn = async (...args: never[]): Promise<unknown> => (await importFunction(url, name))(...args);
  Object.defineProperty(fn, 'name', { value: name, configurable: true });
  refer(fn, { kind: 'export', url, name });
  return fn;
}

function members(url: string): object {
  const made = new Map<string, AnyFunction>();
  return new Proxy(Object.freeze({}), {
    get(_target, name) {
      // `then` would make the whole object look like a promise to `await`.
      if (typeof name !== 'string' || name === 'then') return undefined;
      let fn = made.get(name);
      if (fn === undefined) made.set(name, (fn = imported(url, name)));
      return fn;
    },
  });
}
