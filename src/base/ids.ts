import { createHash, randomFillSync } from 'node:crypto';

// Drawn many at a time, so that a task costs no system call; crypto.randomUUID has such a cache too, but shares it with a
// forked child (see reseedIds), and slices of one text are faster.
const cache = Buffer.alloc(4096);
let digits = '';
let offset = 0;

/** A random UUID, version 4 (RFC 9562), lower case. */
export function uuid(): string {
  if (offset === digits.length) refill();
  const [text, at] = [digits, offset];
  offset += 32;
  const [low, mid, high] = [text.slice(at, at + 8), text.slice(at + 8, at + 12), text.slice(at + 12, at + 16)];
  return `${low}-${mid}-${high}-${text.slice(at + 16, at + 20)}-${text.slice(at + 20, at + 32)}`;
}

/** Forgets the cached randomness; a forked child must call it, or it draws its parent's next ids. */
export function reseedIds(): void {
  offset = digits.length;
}

function refill(): void {
  randomFillSync(cache);
  for (let i = 0; i < cache.length; i += 16) {
    cache[i + 6] = (cache[i + 6]! & 0x0f) | 0x40;
    cache[i + 8] = (cache[i + 8]! & 0x3f) | 0x80;
  }
  digits = cache.toString('hex');
  offset = 0;
}

/** The same UUID for the same text (version 8, RFC 9562: the start of its SHA-256). */
export function uuidOf(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return digest.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
