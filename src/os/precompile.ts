import { setFlagsFromString } from 'node:v8';

/**
 * Compiles functions that were not called yet, which V8 would do at their first call: for those that are called in forked
 * children only, each of which would have to do it, and to copy a hundred pages of the compiler's memory for it. V8 offers that to
 * its own tests alone; where it cannot be had (code from strings is forbidden, flags are frozen) they are compiled when they are
 * called, as ever. Native and bound functions are passed over.
 */
export function precompile(functions: readonly unknown[]): void {
  const own = functions.filter(isScript);
  if (own.length === 0) return;
  try {
    setFlagsFromString('--allow-natives-syntax');
    // Made anew each time: V8 drops the code of what is long not called, and could not make this again without the flag.
    // oxlint-disable-next-line no-implied-eval -- the one way to that syntax
    const compile = new Function('fn', '%CompileLazy(fn);') as (fn: unknown) => void;
    for (const fn of own) compile(fn);
  } catch {
    // As ever.
  } finally {
    if (!process.execArgv.includes('--allow-natives-syntax')) setFlagsFromString('--no-allow-natives-syntax');
  }
}

function isScript(fn: unknown): boolean {
  return typeof fn === 'function' && !/\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn));
}

/** The methods of a class, accessors aside. */
export function methodsOf(prototype: object): unknown[] {
  return Object.values(Object.getOwnPropertyDescriptors(prototype)).map(({ value }) => value as unknown);
}
