import { InvalidStateError, NotFoundError } from '../base/errors.ts';
import { currentScope } from './scope.ts';

type Variables = ReadonlyMap<object, unknown>;

// Outside of tasks there is one context for the whole program, as asyncio has one for a thread.
const outside = { variables: undefined as Variables | undefined };

function holder(): { variables: Variables | undefined } {
  return currentScope()?.root ?? outside;
}

/** What `ContextVar.set` returns, to go back to what was before. */
export class Token<T> {
  readonly variable: ContextVar<T>;
  /** @internal */
  readonly before: Variables | undefined;
  /** @internal */
  used = false;

  /** @internal */
  constructor(variable: ContextVar<T>, before: Variables | undefined) {
    this.variable = variable;
    this.before = before;
  }
}

/**
 * A variable with a value of its own in each task; a new task begins with the values of the one that created it, and
 * what it sets stays its own. (contextvars.ContextVar)
 *
 * @example
 * const user = new ContextVar('user', 'nobody');
 * user.set('ada');
 * await createTask(() => user.get()); // 'ada'
 */
export class ContextVar<T> {
  readonly name: string;
  readonly #fallback: { readonly value: T } | undefined;

  constructor(name: string, ...fallback: [value?: T]) {
    this.name = name;
    this.#fallback = fallback.length === 0 ? undefined : { value: fallback[0] as T };
  }

  /** The value here, else `fallback`, else the variable's own default; throws NotFoundError if there is none. */
  get(...fallback: [value?: T]): T {
    const { variables } = holder();
    if (variables?.has(this) === true) return variables.get(this) as T;
    if (fallback.length > 0) return fallback[0] as T;
    if (this.#fallback !== undefined) return this.#fallback.value;
    throw new NotFoundError(`the context variable '${this.name}' has no value here`);
  }

  set(value: T): Token<T> {
    const place = holder();
    const token = new Token<T>(this, place.variables);
    place.variables = new Map(place.variables).set(this, value);
    return token;
  }

  /** Goes back to before the `set` that gave `token`. Throws InvalidStateError if that was done already. */
  reset(token: Token<T>): void {
    if (token.variable !== this) throw new InvalidStateError('the token was created by a different ContextVar');
    if (token.used) throw new InvalidStateError('the token has already been used once');
    token.used = true;
    const place = holder();
    const variables = new Map(place.variables);
    if (token.before?.has(this) === true) variables.set(this, token.before.get(this));
    else variables.delete(this);
    place.variables = variables;
  }
}

/** A copy of the values here, to run something with later. (contextvars.copy_context) */
export function copyContext(): Context {
  return new Context(holder().variables);
}

/** Values of context variables apart from any task. (contextvars.Context) */
export class Context {
  #variables: Variables | undefined;

  /** @internal */
  constructor(variables: Variables | undefined) {
    this.#variables = variables;
  }

  /** Calls `fn` with these values; what it sets before it first waits stays in this context. */
  run<T>(fn: () => T): T {
    const place = holder();
    const before = place.variables;
    place.variables = this.#variables;
    try {
      return fn();
    } finally {
      this.#variables = place.variables;
      place.variables = before;
    }
  }

  get<T>(variable: ContextVar<T>): T | undefined {
    return this.#variables?.get(variable) as T | undefined;
  }
}
