import { InvalidArgumentError } from '../base/errors.ts';

/** Any function; `never` parameters accept all parameter lists. */
export type AnyFunction = (...args: never[]) => unknown;

/** A function as it crosses to another thread or process; plain data, safe to clone and to write as JSON. */
export type Reference =
  | { readonly kind: 'portable'; readonly url: string; readonly name: string }
  | { readonly kind: 'export'; readonly url: string; readonly name: string }
  | { readonly kind: 'source'; readonly hash: string; readonly name: string; readonly source: string };

interface Registration {
  readonly fn: AnyFunction;
  readonly owner: unknown;
}

interface Registry {
  readonly modules: Map<string, Map<string, Registration>>;
  readonly references: WeakMap<AnyFunction, Reference>;
}

// One registry a thread even if two copies of this package are installed: what one copy registered, a host started by
// the other must find.
const slot = Symbol.for('simul.callable.registry');
const shared = globalThis as { [slot]?: Registry };
const registry = (shared[slot] ??= { modules: new Map(), references: new WeakMap() });

/** Keeps `fn` under its module and name. `owner` is what the caller named its module by, to tell two uses of a name. */
export function register(url: string, name: string, fn: AnyFunction, owner: unknown): void {
  let names = registry.modules.get(url);
  if (names === undefined) registry.modules.set(url, (names = new Map()));
  const previous = names.get(name);
  // A module may be loaded twice in a thread (natively and transformed): each instance has its own `import.meta`, and
  // the later one wins. The same `import.meta` with the same name is a slip.
  if (previous !== undefined && previous.fn !== fn && previous.owner === owner && typeof owner === 'object') {
    throw new InvalidArgumentError('name', name, `a name not yet used in ${url}`);
  }
  names.set(name, { fn, owner });
  registry.references.set(fn, { kind: 'portable', url, name });
}

export function registered(url: string, name: string): AnyFunction | undefined {
  return registry.modules.get(url)?.get(name)?.fn;
}

/** The names a module has registered so far. */
export function registeredNames(url: string): string[] {
  return [...(registry.modules.get(url)?.keys() ?? [])];
}

/** Remembers how a function is written on the wire. */
export function refer(fn: AnyFunction, reference: Reference): void {
  registry.references.set(fn, reference);
}

export function referenceOf(fn: AnyFunction): Reference | undefined {
  return registry.references.get(fn);
}
