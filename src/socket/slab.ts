const size = 65_536;
const largest = 1 << 20;

// What is received into: who takes little gets a copy, who fills most of it gets the slab itself.
let slab = Buffer.allocUnsafeSlow(size);

/**
 * Up to `n` bytes as `call` gives them; undefined if there are none yet, a negative errno on failure.
 */
export function receiveBytes(
  call: (fd: number, buffer: Uint8Array, size: number) => number | undefined,
  fd: number,
  n: number,
): Buffer | number | undefined {
  const into = n > size ? Buffer.allocUnsafeSlow(Math.min(n, largest)) : slab;
  const got = call(fd, into, Math.min(n, into.length));
  if (got === undefined || got < 0) return got;
  const bytes = into.subarray(0, got);
  if (got < into.length / 2) return Buffer.from(bytes);
  if (into === slab) slab = Buffer.allocUnsafeSlow(size);
  return bytes;
}
