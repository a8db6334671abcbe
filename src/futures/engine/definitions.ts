import { describe, referenceKey } from '../../callable/reference.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import type { Definition } from './job.ts';

/** The numbers of the functions that an engine runs. */
export class Definitions {
  readonly #known = new WeakMap<AnyFunction, Definition>();
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
