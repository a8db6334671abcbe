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
 * This process's environment and one pair more, by copying pointers: reading thirty variables as strings would take a
 * tenth of what starting a program does. `undefined` where it cannot be had so; a worker's `process.env` is its own.
 */
export function ownEnvironmentWith(pair: string | undefined): NativeEnvironment | undefined {
  if (!isMainThread) return undefined;
  const own = ownPointers();
  if (own === undefined) return undefined;
  const strings = Buffer.from(`${pair ?? ''}\0`);
  const pointers = Buffer.alloc(own.length + 16);
  pointers.set(own, 0);
  if (pair !== undefined) pointers.writeBigUInt64LE(koffi().address(strings), own.length);
  return { pointers, strings };
}

const pageSize = 4096n;
let variable: DataView | undefined;
let array: { address: bigint; bytes: Buffer } | undefined;

// setenv moves the array when it grows. It is looked at to the end of its page, which is mapped; beyond that we give up.
function ownPointers(): Uint8Array | undefined {
  variable ??= new DataView(
    koffi().view(BigInt(libc('uintptr_t dlsym(uintptr_t library, str name)')(0, 'environ')), 8),
  );
  const address = variable.getBigUint64(0, true);
  if (address === 0n) return undefined;
  if (array?.address !== address) {
    const length = Number(pageSize - (address % pageSize));
    array = { address, bytes: Buffer.from(koffi().view(address, length)) };
  }
  const { bytes } = array;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    if (bytes.readUInt32LE(at) === 0 && bytes.readUInt32LE(at + 4) === 0) return bytes.subarray(0, at);
  }
  return undefined;
}
