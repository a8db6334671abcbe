import type { Region } from './memory.ts';
import { allocateRegion } from './memory.ts';

const size = 65_536;
const largest = 1 << 20;

// What is received into: who takes little gets a copy, who fills most of it gets the region itself.
let slab: Region | undefined;
let large: Region | undefined;

/**
 * Up to `n` bytes as `call` gives them; undefined if there are none yet, a negative errno on failure.
 */
export function receiveBytes(
  call: (fd: number, address: number, size: number) => number | undefined,
  fd: number,
  n: number,
): Buffer | number | undefined {
  const into = regionFor(n);
  const got = call(fd, into.address, Math.min(n, into.bytes.length));
  if (got === undefined || got < 0) return got;
  const bytes = into.bytes.subarray(0, got);
  if (got < into.bytes.length / 2) return Buffer.from(bytes);
  if (into === slab) slab = undefined;
  else large = undefined;
  return bytes;
}

function regionFor(n: number): Region {
  if (n <= size) return (slab ??= allocateRegion(size));
  const wanted = Math.min(n, largest);
  if (large === undefined || large.bytes.length !== wanted) large = allocateRegion(wanted);
  return large;
}
