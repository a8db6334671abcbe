import { createHash } from 'node:crypto';

/** Bytes of a SHA-256 block and of its result. */
const block = 64;
const length = 32;

/**
 * The key of the integrity check, by PKCS#12's own derivation with SHA-256: 32 bytes, so one round of its outer loop is
 * all of it. (RFC 7292 appendix B.2; the diversifier for a MAC is 3)
 */
export function macKey(password: string, salt: Buffer, iterations: number): Buffer {
  const diversifier = Buffer.alloc(block, 3);
  const input = Buffer.concat([diversifier, filled(salt), filled(bmpPassword(password))]);
  let key = createHash('sha256').update(input).digest();
  for (let round = 1; round < iterations; round++) key = createHash('sha256').update(key).digest();
  return key.subarray(0, length);
}

/** Repeated until it fills whole blocks. */
function filled(bytes: Buffer): Buffer {
  return Buffer.alloc(block * Math.ceil(bytes.length / block), bytes);
}

// UTF-16, big end first, with two zero bytes behind: as a BMPString.
function bmpPassword(password: string): Buffer {
  return Buffer.from(`${password}\0`, 'utf16le').swap16();
}
