import { inspect, types } from 'node:util';
import { baseClassOf, classNamed } from './error-classes.ts';

/** A thrown value as plain data, safe to clone. */
export type PackedError =
  | { readonly kind: 'value'; readonly value: unknown }
  | {
      readonly kind: 'error';
      /** The nearest class that both sides know. */
      readonly base: string;
      readonly name: string;
      readonly message: string;
      readonly stack: string;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly cause?: PackedError;
      readonly errors?: readonly PackedError[];
    };

// Chains may be cyclic or endless; what lies deeper is kept as text.
const deepest = 8;
const mostErrors = 100;

/** Writes a thrown value down: class name, message, code, cause, own enumerable fields, stack, inner errors. */
export function packError(error: unknown): PackedError {
  return pack(error, deepest);
}

export interface UnpackOptions {
  /** Where it came from, in words: "thread 3". */
  readonly from?: string;
  /** The stack of the waiting caller, for the local half; by default there is no local half. */
  readonly stack?: string | undefined;
}

/**
 * The error again: an instance of its class if that is a built-in or one of ours, else an Error (or its nearest known
 * base) that keeps the name. The remote stack stands below the local one.
 */
export function unpackError(packed: PackedError, options: UnpackOptions = {}): unknown {
  if (packed.kind === 'value') return packed.value;
  const error = blank(packed);
  if (error.name !== packed.name) hidden(error, 'name', packed.name);
  if (packed.cause !== undefined) hidden(error, 'cause', unpackError(packed.cause, { ...options, stack: undefined }));
  if (packed.errors !== undefined) {
    const inner = packed.errors.map((one) => unpackError(one, { ...options, stack: undefined }));
    hidden(error, 'errors', inner);
  }
  for (const [key, value] of Object.entries(packed.fields)) set(error, key, value);
  hidden(error, 'stack', joinStacks(packed, options));
  return error;
}

function pack(error: unknown, depth: number): PackedError {
  if (!isError(error)) return { kind: 'value', value: clonable(error) };
  const rest = (inner: unknown): PackedError =>
    depth > 0 ? pack(inner, depth - 1) : { kind: 'value', value: text(inner) };
  const errors: unknown = read(error, 'errors');
  return {
    kind: 'error',
    base: baseClassOf(error),
    name: nameOf(error),
    message: text(read(error, 'message')),
    stack: text(read(error, 'stack')),
    fields: fieldsOf(error),
    ...('cause' in error ? { cause: rest(read(error, 'cause')) } : {}),
    ...(Array.isArray(errors) ? { errors: errors.slice(0, mostErrors).map(rest) } : {}),
  };
}

function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error || value instanceof DOMException;
}

// A class that does not set `name` inherits its base's; the class is what tells more.
function nameOf(error: Error): string {
  const name = text(read(error, 'name'));
  const className = (error.constructor as { name?: unknown } | undefined)?.name;
  const inherited = !Object.hasOwn(error, 'name') && name === baseClassOf(error);
  return inherited && typeof className === 'string' && className !== '' ? className : name;
}

const skipped = new Set(['name', 'message', 'stack', 'cause', 'errors']);

function fieldsOf(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const key of Object.keys(error)) if (!skipped.has(key)) set(fields, key, clonable(read(error, key)));
  return fields;
}

function clonable(value: unknown): unknown {
  if (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') return value;
  try {
    return structuredClone(value);
  } catch {
    return text(value);
  }
}

function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch (error) {
    return `(unreadable: ${text(error)})`;
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return inspect(value, { depth: 2 });
  } catch {
    return '(a value that cannot be shown)';
  }
}

// A constructor of a known class may want other arguments or do work; the internal slots of an Error are all we need.
function blank({ base, name, message }: { base: string; name: string; message: string }): Error {
  if (base === 'DOMException') return new DOMException(message, name);
  const error = new Error(message);
  const cls = classNamed(base);
  if (cls !== undefined && cls !== Error) Object.setPrototypeOf(error, cls.prototype as object);
  return error;
}

function set(target: object, key: string, value: unknown): void {
  // By definition, not assignment: a field called `__proto__` must stay a field, and DOMException has getters.
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function hidden(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: false, configurable: true, writable: true });
}

function joinStacks(packed: PackedError & { kind: 'error' }, { from, stack }: UnpackOptions): string {
  const title = `${packed.name}: ${packed.message}`;
  const remote = packed.stack === '' ? title : packed.stack;
  if (from === undefined) return remote;
  const at = remote.search(/\n\s+at /);
  // The remote title says less where the class never set `name`; a stack without its message is kept whole.
  const frames = at >= 0 && remote.slice(0, at).endsWith(packed.message) ? remote.slice(at + 1) : remote;
  const local = stack === undefined ? [] : stack.split('\n').filter((line) => /^\s+at /.test(line));
  return [title, ...local, `    --- in ${from} ---`, frames].join('\n');
}
