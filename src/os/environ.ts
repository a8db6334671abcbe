import { isMainThread } from 'node:worker_threads';
import { koffi, libc } from './libc.ts';

/**
 * An `envp` for exec: an array of pointers, and the strings of ours that some of them point to. Both are to be kept
 * until the call is over.
 */
export interface NativeEnvironment {
  readonly pointers: Buffer;
  readonly strings: Buffer;
}

/** What a program is given: these pairs, or this process's own environment with one pair more or instead. */
export function environmentFor(env: readonly string[] | { readonly added: string | undefined }): NativeEnvironment {
  if (!('added' in env)) return nativeEnvironment(env);
  return ownEnvironmentWith(env.added) ?? nativeEnvironment(copiedEnvironment(env.added));
}

function copiedEnvironment(pair: string | undefined): string[] {
  const pairs = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  if (pair === undefined) return pairs;
  const name = pair.slice(0, pair.indexOf('=') + 1);
  return [...pairs.filter((each) => !each.startsWith(name)), pair];
}

/** From NAME=value pairs. */
export function nativeEnvironment(pairs: readonly string[]): NativeEnvironment {
  const strings = Buffer.from(`${pairs.join('\0')}\0`);
  const pointers = Buffer.alloc((pairs.length + 1) * 8);
  const base = koffi().address(strings);
  for (let i = 0, at = 0; i < pairs.length; i++) {
    pointers.writeBigUInt64LE(base + BigInt(at), i * 8);
    at = strings.indexOf(0, at) + 1;
  }
  return { pointers, strings };
}

/**
 * This process's environment with one pair more, or another value of it, by copying pointers: reading thirty variables as
 * strings would take a tenth of what starting a program does, and what is not UTF-8 would not survive. `undefined` where it
 * cannot be had so; a worker's `process.env` is its own.
 */
export function ownEnvironmentWith(pair: string | undefined): NativeEnvironment | undefined {
  if (!isMainThread) return undefined;
  const own = ownPointers();
  if (own === undefined) return undefined;
  const strings = Buffer.from(`${pair ?? ''}\0`);
  const pointers = Buffer.alloc(own.length + 16);
  pointers.set(own, 0);
  if (pair === undefined) return { pointers, strings };
  const at = placeOf(pair.slice(0, pair.indexOf('=')), pointers, own.length);
  if (at === undefined) return undefined;
  pointers.writeBigUInt64LE(koffi().address(strings), at);
  return { pointers, strings };
}

// Where a variable stands, or the end of the list. getenv gives its value, which follows the name and "=" in one string.
function placeOf(name: string, pointers: Buffer, end: number): number | undefined {
  const value = BigInt(libc('uintptr_t getenv(str name)')(name));
  if (value === 0n) return end;
  const pair = value - BigInt(name.length + 1);
  for (let at = 0; at < end; at += 8) if (pointers.readBigUInt64LE(at) === pair) return at;
  return undefined;
}

const pageSize = 4096n;
let variable: DataView | undefined;
let array: { address: bigint; bytes: Buffer } | undefined;

// setenv moves the array when it grows. It is looked at to the end of a page, which is mapped as a whole; where its end was
// not found, it goes on into the next one, which therefore is mapped too.
function ownPointers(): Uint8Array | undefined {
  variable ??= new DataView(
    koffi().view(BigInt(libc('uintptr_t dlsym(uintptr_t library, str name)')(0, 'environ')), 8),
  );
  const address = variable.getBigUint64(0, true);
  if (address === 0n) return undefined;
  const rest = Number(pageSize - (address % pageSize));
  if (array?.address !== address) array = { address, bytes: bytesAt(address, rest) };
  for (let at = 0; ; at += 8) {
    if (at + 8 > array.bytes.length) array.bytes = bytesAt(address, array.bytes.length + Number(pageSize));
    const { bytes } = array;
    if (bytes.readUInt32LE(at) === 0 && bytes.readUInt32LE(at + 4) === 0) return bytes.subarray(0, at);
  }
}

function bytesAt(address: bigint, length: number): Buffer {
  return Buffer.from(koffi().view(address, length));
}
