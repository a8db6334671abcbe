import { brotliDecompressSync, inflateSync } from 'node:zlib';
import { messageOf } from '../base/error-text.ts';
import { DecodeError } from '../base/errors.ts';

type Decompress = (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer;

/** By the header's value. What Celery calls gzip is a zlib stream (RFC 1950). */
const known: Readonly<Record<string, Decompress>> = {
  'application/x-gzip': inflateSync,
  'application/x-brotli': brotliDecompressSync,
};

/** The bytes that were compressed as a message's header says; throws DecodeError, also for more than `limit` of them. */
export function decompress(bytes: Uint8Array, type: unknown, limit: number): Buffer {
  if (typeof type !== 'string' || !Object.hasOwn(known, type))
    throw new DecodeError(`the compression ${JSON.stringify(type)} is not known here`);
  try {
    return known[type]!(bytes, { maxOutputLength: limit });
  } catch (cause) {
    const tooLong = cause instanceof RangeError || (cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
    const reason = tooLong ? `it is longer than ${limit} bytes` : messageOf(cause);
    throw new DecodeError(`the body cannot be decompressed: ${reason}`, { cause });
  }
}
