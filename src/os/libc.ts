import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type koffiModule from 'koffi';
import { SystemError, UnsupportedError } from '../base/errors.ts';

type Koffi = typeof koffiModule;
export type NativeFunction = (...args: unknown[]) => number;

const require = createRequire(import.meta.url);
let loaded: { koffi: Koffi; library: ReturnType<Koffi['load']> } | undefined;
const functions = new Map<string, NativeFunction>();

/** Whether libc can be called here. Says nothing of single functions. */
export function hasLibc(): boolean {
  try {
    load();
    return true;
  } catch {
    return false;
  }
}

/** The FFI library itself, loaded at first use. */
export function koffi(): Koffi {
  return load().koffi;
}

/**
 * A function of libc by its C prototype, looked up once. It is called synchronously: never one that may block, on the
 * main thread or (through `koffi.async`) on libuv's four.
 */
export function libc(prototype: string): NativeFunction {
  let fn = functions.get(prototype);
  if (fn === undefined) {
    fn = load().library.func(prototype) as NativeFunction;
    functions.set(prototype, fn);
  }
  return fn;
}

/** The errno of the last call on this thread; read it before anything else is called. */
export function errno(): number {
  return load().koffi.errno();
}

/** The error for a call that has just failed, with the operating system's own words. */
export function systemError(
  syscall: string,
  details: { path?: string; fd?: number; errno?: number } = {},
): SystemError {
  const number = details.errno ?? errno();
  const code = errorName(number);
  return new SystemError(code, number, syscall, { ...details, message: strerror(number) });
}

/** Returns a call's result, or throws its SystemError if it is negative. */
export function checked(result: number, syscall: string, details: { path?: string; fd?: number } = {}): number {
  if (result < 0) throw systemError(syscall, details);
  return result;
}

// Node's own table holds only what libuv knows, which is not ENOEXEC, ECHILD and others.
function errorName(number: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `E${number}`;
}

function strerror(number: number): string {
  return (libc('const char *strerror(int number)') as unknown as (n: number) => string)(number).toLowerCase();
}

function load(): { koffi: Koffi; library: ReturnType<Koffi['load']> } {
  if (loaded !== undefined) return loaded;
  if (process.platform === 'win32')
    throw new UnsupportedError('this needs a POSIX system; Windows has no libc of that kind');
  if (process.env['SIMUL_FFI'] === '0')
    throw new UnsupportedError('this needs libc, and SIMUL_FFI=0 has switched it off');
  try {
    const koffi = require('koffi') as Koffi;
    loaded = { koffi, library: koffi.load(process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6') };
    return loaded;
  } catch (cause) {
    throw new UnsupportedError('this needs libc through the package "koffi", which could not be loaded here', {
      cause,
    });
  }
}
