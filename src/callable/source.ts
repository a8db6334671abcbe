import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { InvalidArgumentError } from '../base/errors.ts';
import type { AnyFunction } from './registry.ts';
import { hookImports } from './typescript/imports.ts';
import { installRunTime } from './typescript/twin.ts';

/** The text of a function that needs nothing from around it. */
export interface FunctionSource {
  readonly hash: string;
  readonly name: string;
  readonly source: string;
}

/** Reads the source of a plain function, as an expression that evaluates to it. */
export function captureSource(fn: AnyFunction): FunctionSource {
  const text = Function.prototype.toString.call(fn);
  refuseUnreadable(fn, text);
  const known = expressions.get(text);
  if (known !== undefined) return { ...known, name: fn.name };
  const source = asExpression(fn, text);
  const captured = { source, hash: createHash('sha256').update(source).digest('base64url') };
  if (expressions.size >= 1000) expressions.clear();
  expressions.set(text, captured);
  return { ...captured, name: fn.name };
}

/** Evaluates a source in this thread. A free variable's ReferenceError says what to do about it. */
export function reviveSource(captured: FunctionSource): AnyFunction {
  const filename = `simul-function-${captured.hash.slice(0, 12)}`;
  const fn = compile(withImports(captured.source), filename).runInThisContext() as (...args: unknown[]) => unknown;
  const explain = (error: unknown) => explainFreeVariable(error, captured.name, filename);
  return (...args: unknown[]) => {
    try {
      const result = fn(...args);
      return result instanceof Promise ? result.catch((error: unknown) => Promise.reject(explain(error))) : result;
    } catch (error) {
      throw explain(error);
    }
  };
}

const expressions = new Map<string, { source: string; hash: string }>();

const instead = 'register it with portable(import.meta, name, fn) or name an export with fromModule';

function refuseUnreadable(fn: AnyFunction, text: string): void {
  if (/^class\b/.test(text)) refuse(fn, 'a class constructor');
  if (/\{\s*\[native code\]\s*\}$/.test(text)) {
    refuse(fn, fn.name.startsWith('bound ') ? 'a bound function, whose target cannot be read' : 'a native function');
  }
  if (/Generator/.test(Object.prototype.toString.call(fn))) refuse(fn, 'a generator, whose iterator cannot cross');
}

function asExpression(fn: AnyFunction, text: string): string {
  if (parses(`(${text})`)) return `(${text})`;
  // Method shorthand (`area() {…}`) is only a function inside an object literal; accessors are not functions there,
  // and a computed name may need what is around it.
  const method = `Object.values({${text}})[0]`;
  if (!/^(static\s|get\s|set\s|(async\s*)?\[)/.test(text) && !/\bsuper\b/.test(text) && parses(method)) return method;
  return refuse(fn, 'a function whose source cannot be parsed alone');
}

function parses(expression: string): boolean {
  try {
    compile(expression, 'simul-function');
    return true;
  } catch {
    return false;
  }
}

// Strict, as in the modules that functions come from.
function compile(expression: string, filename: string): Script {
  return new Script(`'use strict';${expression}`, { filename });
}

// Nothing tells where the function was written, so its `import()` starts from the working directory.
function withImports(source: string): string {
  if (!/\bimport\s*\(/.test(source)) return source;
  installRunTime();
  return hookImports(join(process.cwd(), 'function.js'), source);
}

function explainFreeVariable(error: unknown, name: string, filename: string): unknown {
  const variable = error instanceof ReferenceError && /^(\S+) is not defined$/.exec(error.message)?.[1];
  if (!variable || !error.stack?.split('\n')[1]?.includes(filename)) return error;
  const label = name === '' ? 'this function' : `function ${name}`;
  const before = error.message;
  error.message =
    `${before}: ${label} was sent as source and sees nothing outside itself; ` +
    `pass ${variable} as an argument, or ${instead}`;
  error.stack = error.stack.replace(before, error.message);
  return error;
}

function refuse(fn: AnyFunction, what: string): never {
  throw new InvalidArgumentError('fn', fn, `a function that can be sent by its source, not ${what}: ${instead}`);
}
