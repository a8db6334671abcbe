import { koffi } from '../os/libc.ts';

/** Where bytes are in memory, for structures that point to them; they must be held for as long. */
export function addressBytes(bytes: Buffer): bigint {
  return koffi().address(bytes);
}

/** Memory that system calls are given by its address: a number is converted at less cost than a buffer. */
export interface Region {
  readonly memory: ArrayBuffer;
  readonly size: number;
  readonly address: number;
}

/** A region of its own; it does not move. */
export function allocateRegion(size: number): Region {
  const bytes = Buffer.allocUnsafeSlow(size);
  return { memory: bytes.buffer, size, address: Number(addressBytes(bytes)) };
}

/** Bytes of a region, as a Buffer. */
export function viewOf({ memory }: Region, offset: number, length: number): Buffer {
  return new View(memory, offset, length);
}

// The class of Buffer's objects, as Buffer tells the methods of typed arrays: Buffer.from and subarray take three times as long.
type ViewClass = new (memory: ArrayBuffer, offset: number, length: number) => Buffer;
const View = (Buffer as unknown as Readonly<Record<symbol, ViewClass>>)[Symbol.species]!;
