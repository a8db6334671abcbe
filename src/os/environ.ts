import { isMainThread } from 'node:worker_threads';
import { koffi, libc } from './libc.ts';
import type { NativeStrings } from './native-strings.ts';
import { nativeStrings } from './native-strings.ts';

/** An `envp` for exec, to be held until the call is over: these pairs, or this process's own environment with one pair more or instead. */
export function environmentFor(env: readonly string[] | { readonly added: string | undefined }): NativeStrings {
  if (!('added' in env)) return nativeStrings(env);
  return ownEnvironmentWith(env.added) ?? nativeStrings(copiedEnvironment(env.added));
}

function copiedEnvironment(pair: string | undefined): string[] {
  const pairs = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  if (pair === undefined) return pairs;
  const name = pair.slice(0, pair.indexOf('=') + 1);
  return [...pairs.filter((each) => !each.startsWith(name)), pair];
}

/**
 * This process's environment with one pair more, or another value of it, by copying pointers: reading thirty variables as
 * strings would take a tenth of what starting a program does, and what is not UTF-8 would not survive. `undefined` where it
 * cannot be had so; a worker's `process.env` is its own.
 */
function ownEnvironmentWith(pair: string | undefined): NativeStrings | undefined {
  if (!isMainThread) return undefined;
  const own = ownPointers();
  if (own === undefined) return undefined;
  const memory = Buffer.from(`${pair ?? ''}\0`);
  const pointers = new BigUint64Array(own.length + 2);
  pointers.set(own);
  if (pair === undefined) return { pointers, memory };
  const at = placeOf(pair.slice(0, pair.indexOf('=')), own);
  if (at === undefined) return undefined;
  pointers[at] = koffi().address(memory);
  return { pointers, memory };
}

// Where a variable stands, or the end of the list. getenv gives its value, which follows the name and "=" in one string.
function placeOf(name: string, own: BigUint64Array): number | undefined {
  const value = libc('uintptr_t getenv(str name)')(name);
  if (value === 0) return own.length;
  const at = own.indexOf(BigInt(value - name.length - 1));
  return at < 0 ? undefined : at;
}

const pageSize = 4096n;
let variable: BigUint64Array | undefined;
let array: { address: bigint; pointers: BigUint64Array } | undefined;

// setenv moves the array when it grows. It is looked at to the end of a page, which is mapped as a whole; where its end was
// not found, it goes on into the next one, which therefore is mapped too.
function ownPointers(): BigUint64Array | undefined {
  variable ??= pointersAt(BigInt(libc('uintptr_t dlsym(uintptr_t library, str name)')(0, 'environ')), 8);
  const address = variable[0]!;
  if (address === 0n) return undefined;
  if (array?.address !== address)
    array = { address, pointers: pointersAt(address, Number(pageSize - (address % pageSize))) };
  for (;;) {
    const end = array.pointers.indexOf(0n);
    if (end >= 0) return array.pointers.subarray(0, end);
    array.pointers = pointersAt(address, array.pointers.byteLength + Number(pageSize));
  }
}

function pointersAt(address: bigint, bytes: number): BigUint64Array {
  return new BigUint64Array(koffi().view(address, bytes));
}
