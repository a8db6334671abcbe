import * as own from '../base/errors.ts';

type ErrorClass = abstract new (...args: never[]) => Error;

const builtIn = [Error, TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError, AggregateError];
const classes = new Map<string, ErrorClass>(builtIn.map((cls) => [cls.name, cls]));
for (const [name, value] of Object.entries(own)) if (isErrorClass(value)) classes.set(name, value);
// SuppressedError exists from Node 24 on.
const suppressed = (globalThis as Record<string, unknown>)['SuppressedError'];
if (isErrorClass(suppressed)) classes.set('SuppressedError', suppressed);

const names = new Map<object, string>([...classes].map(([name, cls]) => [cls.prototype as object, name]));

/** The class of that name which is there on both sides: a built-in or one of ours. */
export function classNamed(name: string): ErrorClass | undefined {
  return classes.get(name);
}

/** The nearest class above an error that both sides know; an equal name alone does not make it that class. */
export function baseClassOf(error: Error): string {
  if (error instanceof DOMException) return 'DOMException';
  for (let at: unknown = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    const name = names.get(at as object);
    if (name !== undefined) return name;
  }
  return 'Error';
}

function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === 'function' && value.prototype instanceof Error;
}
