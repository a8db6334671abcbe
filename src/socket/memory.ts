import { koffi } from '../os/libc.ts';

/** Where bytes are in memory, for structures that point to them; they must be held for as long. */
export function addressBytes(bytes: Buffer): bigint {
  return koffi().address(bytes);
}
