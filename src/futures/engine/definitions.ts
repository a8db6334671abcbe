import { describe, referenceKey } from '../../callable/reference.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import type { Definition } from './job.ts';

/** The numbers of the functions that an engine runs. */
export class Definitions {
  readonly #known = new WeakMap<AnyFunction, Definition>();
  readonly #inner = new WeakMap<AnyFunction, Definition>();
  readonly #byKey = new Map<string, Definition>();
  // Most programs call one function over and over.
  #last: AnyFunction | undefined;
  #lastDefinition: Definition | undefined;

  /** InvalidArgumentError if it cannot cross. */
  of(fn: AnyFunction): Definition {
    if (fn === this.#last) return this.#lastDefinition!;
    const definition = this.#find(fn);
    this.#last = fn;
    this.#lastDefinition = definition;
    return definition;
  }

  /** Of a function that calls another, which it is named after; `before`: arguments that come before its own. */
  within(outer: AnyFunction, inner: AnyFunction, before: number): Definition {
    const known = this.#inner.get(inner);
    if (known !== undefined) return known;
    const definition = { ...this.#find(outer), name: this.of(inner).name, before };
    this.#inner.set(inner, definition);
    return definition;
  }

  #find(fn: AnyFunction): Definition {
    const known = typeof fn === 'function' ? this.#known.get(fn) : undefined;
    if (known !== undefined) return known;
    const reference = describe(fn);
    const key = referenceKey(reference);
    let definition = this.#byKey.get(key);
    if (definition === undefined) {
      definition = { number: this.#byKey.size, reference, name: reference.name };
      this.#byKey.set(key, definition);
    }
    this.#known.set(fn, definition);
    return definition;
  }
}
