import { textOf } from '../base/error-text.ts';
import * as simulErrors from '../base/errors.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { isRecord } from './envelope.ts';
import * as taskErrors from './errors.ts';
import { describeThrown } from './thrown.ts';

/** An exception as Celery's result documents carry it. */
export interface WireError {
  readonly exc_type: string;
  readonly exc_message: readonly unknown[];
  readonly exc_module: string | null;
}

/** A class of errors that is rebuilt from the wire; `pythonType` names its Python twin, `module.Class`. */
export interface ErrorClass {
  new (message: string): Error;
  readonly pythonType?: string;
}

const ownModule = 'simul';
// Same name and same meaning on both sides.
const sharedBuiltins = new Set(['TypeError', 'SyntaxError']);
const twins = new Map<string, ErrorClass>();

/**
 * Makes errors of this class come back as its instances: by its name when a TypeScript task threw it, and by
 * `static pythonType` when a Python task did.
 *
 * @example
 * class NoStock extends Error { static pythonType = 'shop.errors.NoStock'; }
 * registerError(NoStock);
 */
export function registerError(cls: ErrorClass): void {
  if (cls !== Error && !isErrorClass(cls)) throw new InvalidArgumentError('cls', cls, 'a class that extends Error');
  twins.set(`${ownModule}.${className(cls)}`, cls);
  if (cls.pythonType !== undefined) twins.set(cls.pythonType, cls);
}

for (const cls of [Error, RangeError, ReferenceError, EvalError, URIError]) registerError(cls);
for (const cls of [TypeError, SyntaxError]) twins.set(`builtins.${cls.name}`, cls);
twins.set('builtins.TimeoutError', simulErrors.TimeoutError);
for (const module of [simulErrors, taskErrors]) {
  for (const cls of Object.values(module)) if (isErrorClass(cls)) registerError(cls);
}

/** Never throws, whatever was thrown. */
export function toWireError(error: unknown): WireError {
  const { isError, name, message } = describeThrown(error);
  const python = isError ? pythonTypeOf(error) : undefined;
  if (python === undefined) return wire(name, message, isError && sharedBuiltins.has(name) ? 'builtins' : ownModule);
  const dot = python.lastIndexOf('.');
  return wire(python.slice(dot + 1), message, dot < 0 ? ownModule : python.slice(0, dot));
}

function pythonTypeOf(error: unknown): string | undefined {
  try {
    const { pythonType } = (error as Error).constructor as ErrorClass;
    return typeof pythonType === 'string' && pythonType !== '' ? pythonType : undefined;
  } catch {
    return undefined;
  }
}

/** The error for a result document; its stack is the remote traceback. Never throws, whatever the document holds. */
export function fromWireError(document: unknown, traceback: unknown): Error {
  const { type, module, message } = readWireError(document);
  const cls = twins.get(`${module}.${type}`);
  const error = cls === undefined ? new Error(message) : rebuild(cls, message);
  // Where the constructor would have set it, which has not been called.
  if (error.name !== type && (cls === undefined || error.name === 'Error')) {
    const stack = error.stack?.replace(/^Error/, type);
    Object.defineProperty(error, 'name', { value: type, configurable: true, enumerable: false });
    if (stack !== undefined)
      Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  }
  if (typeof traceback === 'string' && traceback !== '') {
    const here = error.stack ?? `${error.name}: ${error.message}`;
    Object.defineProperty(error, 'stack', {
      value: `${here}\n  in the worker:\n${traceback}`,
      configurable: true,
      writable: true,
    });
  }
  return error;
}

function wire(type: string, message: string, module: string): WireError {
  return { exc_type: type, exc_message: [message], exc_module: module };
}

function readWireError(document: unknown): { type: string; module: string; message: string } {
  if (!isRecord(document)) return { type: 'Error', module: '', message: textOf(document) };
  const { exc_type: type, exc_message: message, exc_module: module } = document;
  return {
    type: typeof type === 'string' && type !== '' ? type : 'Error',
    module: typeof module === 'string' ? module : '',
    message: (Array.isArray(message) ? message : message === undefined ? [] : [message]).map(textOf).join(', '),
  };
}

// Constructors differ in their parameters: make the object without one, so that the message is just what was sent.
function rebuild(cls: ErrorClass, message: string): Error {
  const error = new Error(message);
  Object.setPrototypeOf(error, cls.prototype as object);
  if (error instanceof simulErrors.SimulError)
    Object.defineProperty(error, 'code', { value: codeOf(cls), enumerable: true });
  return error;
}

function codeOf(cls: ErrorClass): string {
  try {
    return (new cls('') as simulErrors.SimulError).code;
  } catch {
    return 'SIMUL_BROKEN';
  }
}

function className(cls: ErrorClass): string {
  return Object.hasOwn(cls.prototype as object, 'name') ? (cls.prototype as Error).name : cls.name;
}

function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === 'function' && value.prototype instanceof Error;
}
