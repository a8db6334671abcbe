import { koffi } from './libc.ts';

/** C strings, one after the other, and where each begins; valid for as long as both are held. */
export interface NativeStrings {
  readonly memory: Buffer;
  /** One each, and a zero. */
  readonly pointers: BigUint64Array;
}

/** Writes texts as C has them in `argv` and `envp`. None may hold a NUL. */
export function nativeStrings(texts: readonly string[]): NativeStrings {
  const memory = Buffer.from(`${texts.join('\0')}\0`);
  const pointers = new BigUint64Array(texts.length + 1);
  const base = koffi().address(memory);
  for (let i = 0, at = 0; i < texts.length; i++) {
    pointers[i] = base + BigInt(at);
    at = memory.indexOf(0, at) + 1;
  }
  return { memory, pointers };
}
