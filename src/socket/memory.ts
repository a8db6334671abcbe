import { koffi } from '../os/libc.ts';

/** Where bytes are in memory, for structures that point to them; they must be held for as long. */
export function addressBytes(bytes: Buffer): bigint {
  return koffi().address(bytes);
}

/** Bytes that system calls are given by their address: a number is converted at less cost than a buffer. */
export interface Region {
  readonly bytes: Buffer;
  readonly address: number;
}

/** A region of its own; it does not move. */
export function allocateRegion(size: number): Region {
  const bytes = Buffer.allocUnsafeSlow(size);
  return { bytes, address: Number(addressBytes(bytes)) };
}
